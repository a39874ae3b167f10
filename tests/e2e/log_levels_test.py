# SPDX-License-Identifier: Apache-2.0
"""Lines of a log by level: counted, shown with their numbers, and gone on with where an answer stopped."""
from headrace import Standalone, main

DAG = """
tasks:
  speaks:
    bash: |
      for i in $(seq 600); do echo "INFO step $i"; done
      echo "WARNING it is slow"
      echo "Traceback (most recent call last):"
      echo '  File "load.py", line 88, in load'
      echo "KeyError: 'id'"
      echo "an error in a sentence is no level"
"""


def a_log_is_read_by_level():
    with Standalone() as system:
        system.write_dag("levels.yaml", DAG)
        run = system.trigger("levels", run_id="r1")
        assert system.wait_run("levels", run)["state"] == "success"
        log = "/api/headrace/v1/ui/log/levels/r1/speaks/-1/1/levels"
        whole = system.request("GET", f"{log}?level=error,warning")
        assert [line.split(" ", 2)[2] for _, line in whole["lines"]] == [
            "WARNING it is slow", "Traceback (most recent call last):", '  File "load.py", line 88, in load', "KeyError: 'id'"], whole
        first = whole["lines"][0][0]
        assert [number for number, _ in whole["lines"]] == [first, first + 1, first + 2, first + 3], whole
        counts = whole["counts"]
        assert (counts["info"], counts["warning"], counts["error"], counts["debug"]) == (600, 1, 3, 0), counts
        assert sum(counts.values()) == whole["total_lines"] == whole["searched"] and not whole["more"], whole
        # One at a time; and the line in the middle of a traceback belongs to it still.
        begun = system.request("GET", f"{log}?level=error&limit=1")
        assert begun["more"] and begun["before"] == "error" and begun["searched"] == first + 2, begun
        rest = system.request("GET", f"{log}?level=error&from={begun['searched']}&before=error")
        assert [number for number, _ in rest["lines"]] == [first + 2, first + 3], rest
        assert system.raw("GET", f"{log}?level=loud")[0] == 422 and system.raw("GET", f"{log}?before=loud")[0] == 422
        assert system.request("GET", log)["lines"] == []


main(a_log_is_read_by_level)
