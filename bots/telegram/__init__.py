import os

# Told before the library is imported, which asks the environment alone: otherwise it warns at every 429 that it will soon give
# durations as timedelta (telegram/_utils/datetime.py, get_timedelta_value).
os.environ.setdefault("PTB_TIMEDELTA", "1")
