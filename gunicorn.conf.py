"""gunicorn configuration, read from the working directory."""

import os
import sys

wsgi_app = "app:app"
workers = int(os.environ.get("WEB_CONCURRENCY", "5"))
worker_class = "gthread"
threads = 8
worker_connections = 500  # per worker, most of them waiting in its loop
keepalive = 0  # one request per connection: the worker relies on it

# Seconds without a sign from a worker's loop until it is killed; threads may take longer.
timeout = 120
# A stopping worker lets its threads finish; the longest legitimate work is a large CSV export.
graceful_timeout = 600
max_requests = 5000
max_requests_jitter = 1000

forwarded_allow_ips = ""  # the portal's TRUSTED_PROXIES decides
control_socket_disable = True

# No access log: the portal logs what is safe to keep. If one is switched on, it has no addresses,
# which may hold tokens and what people search for; the request id leads to the portal's lines.
accesslog = None
access_log_format = "%(m)s %(s)s %(B)s bytes %(L)s s %({x-request-id}o)s"


def post_fork(server, worker):
    """Make it the portal's worker, here in its own process.

    What the first process has imported its workers never import anew: with the portal's code in it,
    a reload would run a new release on the models of the old one. The link to the release may move
    again while this one is imported, so its folder is taken now.
    """
    sys.path[:] = [os.path.realpath(folder) for folder in sys.path]
    from clearance.web.gunicorn_worker import Worker

    worker.__class__ = Worker
