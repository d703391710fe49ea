"""Celery and RQ beside the bench `queue`: how fast they take jobs, and how soon a waiting worker starts one.

python3 queue_python.py celery|rq <redis url> <submits> <starts>
Prints one line of JSON. `python3 queue_python.py celery-worker|rq-worker <redis url>` is the worker, started by the former.
"""

import json
import os
import subprocess
import sys
import time

import redis

PAYLOAD = {"targets": ["127.0.0.1"], "pool": "baseline", "note": "x" * 300}
STARTED = "bench-python-started"
URL = os.environ.get("BENCH_REDIS_URL", sys.argv[2] if len(sys.argv) > 2 else "")


def note(scan):
    at = time.monotonic_ns()
    redis.Redis.from_url(URL).lpush(STARTED, at)


def celery_app():
    from celery import Celery

    app = Celery("bench", broker=URL)
    app.conf.task_ignore_result = True
    return app, app.task(name="note")(note)


def celery_side():
    import celery

    _, task = celery_app()
    return "Celery " + celery.__version__, lambda: task.apply_async((PAYLOAD,))


def rq_side():
    import rq
    from rq.version import VERSION

    queue = rq.Queue("bench", connection=redis.Redis.from_url(URL))
    return "RQ " + VERSION, lambda: queue.enqueue("queue_python.note", PAYLOAD)


def run_worker(kind):
    if kind == "celery-worker":
        app, _ = celery_app()
        app.worker_main(["worker", "--pool=solo", "--loglevel=ERROR", "--without-mingle", "--without-gossip"])
    else:
        import rq

        connection = redis.Redis.from_url(URL)
        rq.Worker([rq.Queue("bench", connection=connection)], connection=connection).work(logging_level="ERROR")


def main():
    kind, _, submits, starts = sys.argv[1:]
    name, submit = {"celery": celery_side, "rq": rq_side}[kind]()
    store = redis.Redis.from_url(URL)
    for _ in range(min(20, int(submits))):
        submit()
    began = time.perf_counter()
    for _ in range(int(submits)):
        submit()
    rate = int(submits) / (time.perf_counter() - began)
    store.flushdb()
    environment = dict(os.environ, BENCH_REDIS_URL=URL, C_FORCE_ROOT="1")
    command = [sys.executable, __file__, kind + "-worker", URL]
    worker = subprocess.Popen(command, cwd=os.path.dirname(__file__), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    waits = []
    try:
        for n in range(int(starts) + 3):
            time.sleep(0.015)
            asked = time.monotonic_ns()
            submit()
            told = store.brpop(STARTED, timeout=60)
            if told is None:
                raise SystemExit(name + ": no worker started the job")
            if n >= 3:
                waits.append((int(told[1]) - asked) / 1e6)
    finally:
        worker.kill()
        worker.wait()
    waits.sort()
    print(json.dumps({"name": name, "perSecond": rate, "p50": waits[len(waits) // 2]}))


if __name__ == "__main__":
    if sys.argv[1].endswith("-worker"):
        run_worker(sys.argv[1])
    else:
        main()
