# SPDX-License-Identifier: Apache-2.0
"""Zones against Python's zoneinfo, crons against croniter: the same questions to both, every answer equal.

croniter comes from PyPI into a venv of the build folder; where PyPI cannot be reached the cron part says so and the rest runs.
"""
import datetime
import os
import pathlib
import random
import subprocess
import sys
import zoneinfo

BUILD = pathlib.Path(os.environ["HEADRACE_BIN_DIR"]).parent
ANSWERS = BUILD / "tests" / "timetable_answers"
UTC = datetime.timezone.utc
HARD_ZONES = ["Europe/Lisbon", "America/New_York", "Australia/Lord_Howe", "Europe/Dublin", "Antarctica/Troll", "Pacific/Apia",
              "America/Sao_Paulo", "Africa/Casablanca", "Asia/Tehran", "America/St_Johns"]
EXPRESSIONS = 20000


def ask(questions):
    done = subprocess.run([ANSWERS], input="\n".join(questions) + "\n", capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[:-1]


def compare(what, questions, expected, read, oracle_errs=lambda question, should, is_now: False):
    answers = [read(line) for line in ask(questions)]
    assert len(answers) == len(expected), f"{what}: {len(answers)} answers to {len(expected)} questions"
    different = [(q, e, a) for q, e, a in zip(questions, expected, answers) if e != a and not oracle_errs(q, e, a)]
    for question, should, is_now in different[:10]:
        print(f"{what}: {question}: {is_now}, should be {should}")
    print(f"{what}: {len(questions)} questions, {len(different)} differences")
    return not different


def offsets(rand):
    zones = sorted(z for z in zoneinfo.available_timezones() if (pathlib.Path("/usr/share/zoneinfo") / z).is_file())
    questions, expected = [], []
    for name in zones:
        zone = zoneinfo.ZoneInfo(name)
        for _ in range(60):
            instant = rand.randint(-2000000000, 4000000000)
            questions.append(f"offset {name} {instant}")
            expected.append(int(datetime.datetime.fromtimestamp(instant, zone).utcoffset().total_seconds()))
    return compare("offsets", questions, expected, int)


def instants(rand):
    epoch = datetime.datetime(1970, 1, 1)
    questions, expected = [], []
    for name in HARD_ZONES:
        zone = zoneinfo.ZoneInfo(name)
        for _ in range(10000):
            local = rand.randint(788918400, 2398377600) // 900 * 900
            naive = epoch + datetime.timedelta(seconds=local)
            found = set()
            for fold in (0, 1):
                utc = naive.replace(tzinfo=zone, fold=fold).astimezone(UTC)
                if utc.astimezone(zone).replace(tzinfo=None) == naive:
                    found.add(int(utc.timestamp()))
            questions.append(f"instants {name} {local}")
            expected.append(sorted(found))

    def read(line):
        count, *values = (int(word) for word in line.split())
        return values[:count]

    return compare("instants", questions, expected, read)


def random_field(rand, low, high):
    kind = rand.random()
    if kind < .35:
        return "*"
    if kind < .5:
        return f"*/{rand.randint(2, max(2, high // 2))}"
    if kind < .7:
        return str(rand.randint(low, high))
    if kind < .85:
        first = rand.randint(low, high - 1)
        step = f"/{rand.randint(2, 5)}" if rand.random() < .3 else ""
        return f"{first}-{rand.randint(first + 1, high)}{step}"
    return ",".join(str(n) for n in sorted(rand.sample(range(low, high + 1), min(3, high - low))))


def random_expression(rand):
    day = random_field(rand, 1, 31) if rand.random() < .85 else "L"
    weekday = random_field(rand, 0, 6) if rand.random() < .85 else f"{rand.randint(0, 6)}#{rand.randint(1, 4)}"
    return " ".join([random_field(rand, 0, 59), random_field(rand, 0, 23), day, random_field(rand, 1, 12), weekday])


def croniter_of_venv():
    venv = BUILD / "oracle-venv"
    if not (venv / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = subprocess.run([venv / "bin" / "pip", "install", "-q", "croniter==6.0.0"], capture_output=True, text=True)
    if pip.returncode != 0:
        return None
    sys.path[:0] = [str(p) for p in venv.glob("lib/python*/site-packages")]
    from croniter import croniter
    return croniter


def crons(rand):
    croniter = croniter_of_venv()
    if croniter is None:
        print("crons: PyPI cannot be reached: not compared")
        return True
    questions, expected = [], []
    while len(questions) < EXPRESSIONS:
        expression = random_expression(rand)
        after = rand.randint(946684800, 1893456000)
        fires = croniter(expression, datetime.datetime.fromtimestamp(after, UTC))
        try:
            expected.append([int(fires.get_next(float) * 1000) for _ in range(5)])
        except Exception:  # the 30th of February: croniter gives up, and so may we
            continue
        questions.append(f"cron UTC {after * 1000} 5 {expression}")

    def croniter_skipped_it(question, should, is_now):
        """From the end of February croniter misses days that its own match() accepts: then we are right."""
        expression = question.split(" ", 4)[4]
        first = next((ours for theirs, ours in zip(should, is_now) if theirs != ours), None)
        return (first is not None and first < min(set(should) - set(is_now)) and
                croniter.match(expression, datetime.datetime.fromtimestamp(first / 1000, UTC)))

    return compare("crons", questions, expected, lambda line: [int(word) for word in line.split()], croniter_skipped_it)


if __name__ == "__main__":
    zoneinfo.reset_tzpath(["/usr/share/zoneinfo"])
    rand = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    results = [offsets(rand), instants(rand), crons(rand)]
    sys.exit(0 if all(results) else 1)
