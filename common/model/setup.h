// SPDX-License-Identifier: Apache-2.0
/* setup - setup and teardown tasks: which tasks lie in the scope of a setup, and who belongs
 * together. Airflow's meaning.
 *
 * A task is in the scope of a setup that is upstream of it when one of the setup's teardowns is
 * downstream of it, or when the setup has no teardown. It runs only if the setup succeeded,
 * whatever its trigger rule says, and takes setup and teardown along when it is cleared. */
#ifndef HEADRACE_SETUP_H
#define HEADRACE_SETUP_H

#include "common/model/dag.h"

/* Fills the tasks' `setups`, in rising order; downstream edges must be there. Part of dag_build. */
void setups_derive(struct dag *dag, struct arena *scratch);

/* Adds to the chosen tasks (one flag a task) what is cleared with them: the setups in whose scope
 * they lie, and all teardowns of setups that are chosen then. */
void setups_choose(const struct dag *dag, bool *chosen);

#endif
