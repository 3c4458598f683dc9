"""gunicorn configuration, read from the working directory."""

import os

wsgi_app = "app:app"
workers = int(os.environ.get("WEB_CONCURRENCY", "5"))
worker_class = "clearance.web.gunicorn_worker.Worker"
threads = 8
worker_connections = 500  # in each worker, most of them waiting in its loop
keepalive = 0  # one request per connection: the worker relies on it

# A worker is killed when its loop is silent for so long; its threads may take any time.
timeout = 120
# A worker that leaves lets its threads end: the longest honest work is the CSV of a large list.
graceful_timeout = 600
max_requests = 5000
max_requests_jitter = 1000

forwarded_allow_ips = ""  # TRUSTED_PROXIES decides, in the portal
control_socket_disable = True
