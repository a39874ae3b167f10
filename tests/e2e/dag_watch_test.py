# SPDX-License-Identifier: Apache-2.0
"""A change in the DAG folder is seen by its watch: the folder is otherwise searched once an hour here."""
import shutil
import threading

from headrace import Standalone, main, wait_for

SETTINGS = {"scheduler.dag_dir_list_interval": "1h", "autoscale.default.min": 0}


def dag(note):
    return f"description: {note}\ntasks: {{a: {{bash: 'true'}}}}\n"


class Noise:
    """Appends to a file in the folder, ten times a second."""

    def __init__(self, folder):
        self.path, self.ends = folder / "noise.txt", threading.Event()
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while not self.ends.wait(0.1):
            with open(self.path, "a") as file:
                file.write("x\n")

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()


def a_new_dag_is_seen_while_another_file_changes_all_the_time():
    with Standalone(SETTINGS) as system:
        system.write_dag("first.yaml", dag("first"))
        system.wait_dag("first")
        with Noise(system.home / "dags"):
            system.write_dag("second.yaml", dag("second"))
            system.wait_dag("second", 20)


def a_folder_that_was_made_anew_is_watched_again():
    with Standalone(SETTINGS) as system:
        folder = system.home / "dags" / "sub"
        for turn in range(3):
            folder.mkdir(parents=True)
            (folder / f"turn_{turn}.yaml").write_text(dag("early"))
            system.wait_dag(f"turn_{turn}")
            # The folder is known by now; this file comes on its own.
            (folder / f"late_{turn}.yaml").write_text(dag("late"))
            system.wait_dag(f"late_{turn}", 20)
            shutil.rmtree(folder)


def a_change_while_the_file_is_compiled_is_seen_after_it():
    with Standalone(SETTINGS) as system:
        big = "".join(f"  t{i}: {{bash: 'true'}}\n" for i in range(4000))
        for gap in (0.2, 0.25, 0.3, 0.4):  # after the look at the first write: some fall into its compilation
            system.write_dag("big.yaml", f"description: begun {gap}\ntasks:\n{big}")
            threading.Event().wait(gap)
            system.write_dag("big.yaml", f"description: ended {gap}\ntasks:\n{big}")
            wait_for(lambda: (system.has_dag("big") or {}).get("description") == f"ended {gap}", "the last version", 30)


if __name__ == "__main__":
    main(a_new_dag_is_seen_while_another_file_changes_all_the_time, a_folder_that_was_made_anew_is_watched_again,
         a_change_while_the_file_is_compiled_is_seen_after_it)
