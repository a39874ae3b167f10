# SPDX-License-Identifier: Apache-2.0
"""The table of operations in docs/api/airflow.md misses none that Airflow's own clients have, and routes.def has them at the same address."""
from airflow_operations import of_the_client, of_the_page, of_the_routes
from clients import environment_or_skip
from headrace import main

# The later release first: what stands in the last column is of that one alone.
RELEASES = ("3.3.2", "3.2.2")


def known(release):
    return of_the_client(environment_or_skip(f"apache-airflow-client=={release}", "PyYAML==6.0.2", "jsonschema==4.23.0"))


def no_operation_of_a_client_is_missing():
    for release in RELEASES:
        operations = known(release)
        assert len(operations) > 100, f"the client {release} has hardly any operation"
        missing = set(operations) - set(of_the_page())
        assert not missing, f"docs/api/airflow.md, Operations, has nothing of {sorted(missing)} of Airflow {release}"


def what_is_not_here_is_of_the_later_release_alone():
    absent = {operation for operation, column in of_the_page().items() if column == "absent"}
    later, earlier = (set(known(release)) for release in RELEASES)
    assert absent <= later - earlier, f"of 3.2, or of no release: {sorted(absent - (later - earlier))}"


def every_operation_is_at_its_address():
    routes = of_the_routes()
    for release in RELEASES:
        wrong = [f"{operation}: {routes[operation][1:]} is {address} with Airflow {release}"
                 for operation, address in known(release).items() if operation in routes and routes[operation][1:] != address]
        assert wrong == [], "\n".join(wrong)


if __name__ == "__main__":
    main(no_operation_of_a_client_is_missing, what_is_not_here_is_of_the_later_release_alone, every_operation_is_at_its_address)
