# SPDX-License-Identifier: Apache-2.0
"""The table of operations in docs/api/airflow.md says of each just what webserver/api/routes.def does with it."""
from airflow_operations import of_the_page, of_the_routes
from headrace import main

# Spellings of older releases for what has a row of its own.
ALSO = {"cancel_backfill_by_post", "pause_backfill_by_post", "unpause_backfill_by_post"}


def every_operation_of_the_page_is_served_as_it_says():
    routes = of_the_routes()
    wrong = [f"{operation}: the page says {column}, routes.def {routes.get(operation, ('absent',))[0]}"
             for operation, column in of_the_page().items() if routes.get(operation, ("absent",))[0] != column]
    assert wrong == [], "\n".join(wrong)


def every_route_of_the_api_stands_in_the_page():
    missing = set(of_the_routes()) - set(of_the_page()) - ALSO
    assert not missing, f"docs/api/airflow.md, Operations: {sorted(missing)}"


def an_operation_that_stands_there_twice_is_found():
    try:
        of_the_page("## Operations\n| a | `x` | | | |\n| b | | `x` | | |\n## HTTP\n")
    except AssertionError as fault:
        assert "x stands there twice" in str(fault)
    else:
        raise AssertionError("nobody saw that x stands there twice")


if __name__ == "__main__":
    main(every_operation_of_the_page_is_served_as_it_says, every_route_of_the_api_stands_in_the_page,
         an_operation_that_stands_there_twice_is_found)
