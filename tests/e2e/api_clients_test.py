# SPDX-License-Identifier: Apache-2.0
"""Airflow's own clients, unchanged, against a live system: every operation that they have, through their own models."""
import pathlib
import subprocess
import sys

from clients import environment_or_skip
from headrace import main

CLIENTS = pathlib.Path(__file__).parent / "clients"
sys.path.insert(0, str(CLIENTS))
from ctl_tour import show_around  # noqa: E402
from tour_world import TourWorld  # noqa: E402


def tour(release):
    python = environment_or_skip(f"apache-airflow-client=={release}", "PyYAML==6.0.2", "jsonschema==4.23.0")
    with TourWorld() as world:
        done = subprocess.run([python, CLIENTS / "tour.py", world.card(), "--verbose"], timeout=600, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"the tour with apache-airflow-client {release} found something"


def the_newest_client_finds_everything():
    tour("3.3.2")


def the_client_of_3_2_finds_everything():
    tour("3.2.2")


def the_client_of_3_1_finds_everything():
    tour("3.1.8")


def airflowctl_finds_everything():
    python = environment_or_skip("apache-airflow-ctl==0.1.5")
    with TourWorld() as world:
        show_around(python.parent / "airflowctl", world)


if __name__ == "__main__":
    main(the_newest_client_finds_everything, the_client_of_3_2_finds_everything, the_client_of_3_1_finds_everything,
         airflowctl_finds_everything)
