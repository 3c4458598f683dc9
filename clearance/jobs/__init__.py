"""Work outside web requests.

The queue, its consumer, periodic jobs and the removal of expired rows.
"""

from clearance.jobs.worker import at_start, init_app, serve

__all__ = ["at_start", "init_app", "serve"]
