"""Does a job a second, and says which version of the job it runs."""

import time

from app.page import GREETING

while True:
    print(f"worked: {GREETING}", flush=True)
    time.sleep(1)
