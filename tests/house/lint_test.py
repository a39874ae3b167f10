# SPDX-License-Identifier: Apache-2.0
"""./dev lint fails when a check finds something, and only then: in a small tree of its own, with the slow parts left out."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from headrace import main

SOURCE = pathlib.Path(__file__).parents[2]
TIDY = "int one(void)\n{\n    return 1;\n}\n"


def lint(text, tidy_says=""):
    with tempfile.TemporaryDirectory(prefix="hr-lint-") as folder:
        tree = pathlib.Path(folder)
        for name in ("dev", ".clang-format"):
            shutil.copy2(SOURCE / name, tree / name)
        for program, says in (("tools/names.sh", ""), ("tools/layers.sh", ""), ("tools/pure.sh", ""), ("bin/cmake", ""),
                              ("bin/clang-tidy", tidy_says)):
            path = tree / program
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\necho '{says}'\nexit {1 if says else 0}\n")
            path.chmod(0o755)
        (tree / "build/dev").mkdir(parents=True)
        (tree / "build/dev/build.ninja").touch()
        (tree / "one.c").write_text(text)
        (tree / ".gitignore").write_text("build\nbin\ntools\n")
        git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost"]
        for words in (["init", "-q", "-b", "other"], ["add", "-A"], ["commit", "-q", "-m", "one"]):
            subprocess.run([*git, *words], cwd=tree, check=True)
        return subprocess.run(["./dev", "lint", "--all"], cwd=tree, capture_output=True, text=True, timeout=120,
                              env={**os.environ, "PATH": f"{tree}/bin:{os.environ['PATH']}"})


def a_tidy_tree_passes():
    done = lint(TIDY)
    assert done.returncode == 0 and "clean" in done.stdout, done.stdout + done.stderr


def a_file_that_is_not_formatted_fails():
    done = lint(TIDY.replace("    return", "  return"))
    assert done.returncode != 0 and "one.c" in done.stdout, done.stdout + done.stderr


def a_blank_at_the_end_of_a_line_fails():
    done = lint(TIDY + "/* x */ \n")
    assert done.returncode != 0 and "one.c" in done.stdout, done.stdout + done.stderr


def a_word_of_clang_tidy_fails():
    done = lint(TIDY, "one.c:1:1: error: this is wrong")
    assert done.returncode != 0 and "this is wrong" in done.stdout, done.stdout + done.stderr


if __name__ == "__main__":
    main(a_tidy_tree_passes, a_file_that_is_not_formatted_fails, a_blank_at_the_end_of_a_line_fails, a_word_of_clang_tidy_fails)
