"""Work outside web requests.

The queue, its consumer, periodic jobs and the removal of expired rows.
"""

from clearance.jobs.worker import init_app, serve

__all__ = ["init_app", "serve"]
