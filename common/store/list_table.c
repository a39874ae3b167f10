// SPDX-License-Identifier: Apache-2.0
#include "common/store/list_table.h"

#define INSTANCE_FILTERS                                                                           \
    { "task_id", FILTER_TEXT, "task_id" }, { "run_after", FILTER_TIME_RANGE, "run_after" },        \
        { "logical_date", FILTER_TIME_RANGE, "logical_date" },                                     \
        { "start_date", FILTER_TIME_RANGE, "start_date" },                                         \
        { "end_date", FILTER_TIME_RANGE, "end_date" },                                             \
        { "updated_at", FILTER_TIME_RANGE, "updated_at" },                                         \
        { "duration", FILTER_REAL_RANGE, "duration" },                                             \
        { "task_display_name_pattern", FILTER_PATTERN, "task_id" },                                \
        { "task_group_id", FILTER_PREFIX, "task_id" },                                             \
        { "dag_id_pattern", FILTER_PATTERN, "dag_id" },                                            \
        { "run_id_pattern", FILTER_PATTERN, "run_id" }, { "state", FILTER_TEXT, "state" },         \
        { "pool", FILTER_TEXT, "pool" }, { "pool_name_pattern", FILTER_PATTERN, "pool" },          \
        { "queue", FILTER_TEXT, "queue" }, { "queue_name_pattern", FILTER_PATTERN, "queue" },      \
        { "version_number", FILTER_INT, "version_number" },                                        \
        { "try_number", FILTER_INT, "try_number" }, { "operator", FILTER_TEXT, "operator" },       \
        { "operator_name_pattern", FILTER_PATTERN, "operator" },                                   \
        { "executor", FILTER_TEXT, "executor" },                                                   \
        { "rendered_map_index_pattern", FILTER_PATTERN, "map_label" },                             \
        { "map_index", FILTER_INT, "map_index" }, { "dag_id", FILTER_TEXT, "dag_id" },             \
        { "run_id", FILTER_TEXT, "run_id" },                                                       \
    {                                                                                              \
        "instance", FILTER_TEXT, "task_id || ':' || l.map_index"                                   \
    }

#define INSTANCE_ORDERS                                                                            \
    { "id", "run_no" }, { "state", "state" }, { "duration", "duration" },                          \
        { "start_date", "start_date" }, { "end_date", "end_date" }, { "map_index", "map_index" },  \
        { "try_number", "try_number" }, { "logical_date", "logical_date" },                        \
        { "data_interval_start", "logical_date" }, { "data_interval_end", "logical_date" },        \
        { "rendered_map_index", "map_index" }, { "operator", "operator" },                         \
        { "run_after", "run_after" }, { "task_id", "task_id" }, { "dag_id", "dag_id" },            \
        { "run_id", "run_id" }, { "queue", "queue" }, { "pool", "pool" },                          \
    {                                                                                              \
        "task_display_name", "task_id"                                                             \
    }

const struct list_range list_ranges[LIST_RANGES] = {
    { "_gte", ">=" }, { "_gt", ">" }, { "_lte", "<=" }, { "_lt", "<" }
};

const struct list_row list_rows[LIST_COUNT] = {
    [LIST_DAGS] = {
        "dags", SQL_api_dags, SCOPE_NONE, "dag_id", 0,
        {
            { "tags", FILTER_TAGS, "tags" },
            { "owners", FILTER_TAGS, "owners" },
            { "dag_id", FILTER_TEXT, "dag_id" },
            { "dag_ids", FILTER_TEXT, "dag_id" },
            { "dag_id_pattern", FILTER_PATTERN, "dag_id" },
            { "dag_display_name_pattern", FILTER_PATTERN, "dag_display_name" },
            { "is_stale", FILTER_BOOL, "is_stale" },
            { "paused", FILTER_BOOL, "is_paused" },
            { "has_import_errors", FILTER_BOOL, "has_import_errors" },
            { "last_dag_run_state", FILTER_TEXT, "last_run_state" },
            { "dag_run_state", FILTER_TEXT, "last_run_state" },
            { "bundle_name", FILTER_TEXT, "bundle_name" },
            { "bundle_version", FILTER_TEXT, "bundle_version" },
            { "has_asset_schedule", FILTER_BOOL, "has_asset_schedule" },
            { "is_favorite", FILTER_BOOL, "is_favorite" },
            { "asset_dependency", FILTER_TAGS, "assets" },
            { "timetable_type", FILTER_TEXT, "timetable_type" },
            { "dag_run_start_date", FILTER_TIME_RANGE, "last_run_start" },
            { "dag_run_end_date", FILTER_TIME_RANGE, "last_run_end" },
        },
        {
            { "dag_id", "dag_id" }, { "dag_display_name", "dag_display_name" }, { "next_dagrun", "next_dagrun" },
            { "state", "last_run_state" }, { "start_date", "last_run_start" }, { "last_run_state", "last_run_state" },
            { "last_run_start_date", "last_run_start" },
        },
        .has_favourites = true,
    },
    [LIST_RUNS] = {
        "dag_runs", SQL_api_runs, SCOPE_DAG, "run_no", 0,
        {
            { "run_after", FILTER_TIME_RANGE, "run_after" },
            { "logical_date", FILTER_TIME_RANGE, "logical_date" },
            { "start_date", FILTER_TIME_RANGE, "start_date" },
            { "end_date", FILTER_TIME_RANGE, "end_date" },
            { "updated_at", FILTER_TIME_RANGE, "updated_at" },
            { "duration", FILTER_REAL_RANGE, "duration" },
            { "run_type", FILTER_TEXT, "run_type" },
            { "state", FILTER_TEXT, "state" },
            { "dag_version", FILTER_INT, "dag_version" },
            { "run_id_pattern", FILTER_PATTERN, "run_id" },
            { "dag_run_id", FILTER_TEXT, "run_id" },
            { "triggering_user_name_pattern", FILTER_PATTERN, "triggering_user_name" },
            { "dag_id_pattern", FILTER_PATTERN, "dag_id" },
            { "dag_id", FILTER_TEXT, "dag_id" },
            { "dag_ids", FILTER_TEXT, "dag_id" },
            { "states", FILTER_TEXT, "state" },
            { "conf_contains", FILTER_PATTERN, "conf::text" },
            { "bundle_version", FILTER_TEXT, "bundle_version" },
            { "partition_key_pattern", FILTER_PATTERN, "partition_key" },
            { "partition_date", FILTER_TIME_RANGE, "partition_date" },
        },
        {
            { "id", "run_no" }, { "state", "state" }, { "dag_id", "dag_id" }, { "run_id", "run_id" },
            { "dag_run_id", "run_id" }, { "logical_date", "logical_date" }, { "run_after", "run_after" },
            { "start_date", "start_date" }, { "end_date", "end_date" }, { "updated_at", "updated_at" },
            { "conf", "conf::text" }, { "duration", "duration" }, { "run_type", "run_type" },
            { "triggering_user_name", "triggering_user_name" },
        },
        .count_block = SQL_api_runs_count, .is_wide = true,
    },
    [LIST_INSTANCES] = { "task_instances", SQL_api_instances, SCOPE_DAG, "run_no, ordinal, map_index", 100000,
                         { INSTANCE_FILTERS }, { INSTANCE_ORDERS }, SQL_api_instances_count, .is_json = true },
    [LIST_RUN_INSTANCES] = { "task_instances", SQL_api_run_instances, SCOPE_RUN, "ordinal, map_index", 0,
                             { INSTANCE_FILTERS }, { INSTANCE_ORDERS }, SQL_api_run_instances_count },
    [LIST_OUTPUTS] = {
        "xcom_entries", SQL_api_outputs, SCOPE_RUN, "task_id, map_index, xcom_key", 0,
        {
            { "task_id", FILTER_TEXT, "task_id" }, { "xcom_key", FILTER_TEXT, "xcom_key" },
            { "map_index", FILTER_INT, "map_index" }, { "map_index_filter", FILTER_INT, "map_index" },
            { "xcom_key_pattern", FILTER_PATTERN, "xcom_key" }, { "task_id_pattern", FILTER_PATTERN, "task_id" },
            { "run_id_pattern", FILTER_PATTERN, "run_id" }, { "dag_display_name_pattern", FILTER_PATTERN, "dag_id" },
            { "logical_date", FILTER_TIME_RANGE, "logical_date" }, { "run_after", FILTER_TIME_RANGE, "run_after" },
        },
        { { "key", "xcom_key" }, { "timestamp", "timestamp" }, { "map_index", "map_index" } },
    },
    [LIST_IMPORT_ERRORS] = {
        "import_errors", SQL_api_import_errors, SCOPE_NONE, "import_error_id", 0,
        { { "filename_pattern", FILTER_PATTERN, "filename" }, { "filename", FILTER_TEXT, "filename" },
          { "bundle_name", FILTER_TEXT, "bundle_name" }, { "import_error_id", FILTER_INT, "import_error_id" } },
        { { "id", "import_error_id" }, { "import_error_id", "import_error_id" }, { "timestamp", "timestamp" },
          { "filename", "filename" } },
        .is_wide = true,
    },
    [LIST_DAG_VERSIONS] = {
        "dag_versions", SQL_api_dag_versions, SCOPE_DAG, "version_no", 0,
        { { "version_number", FILTER_INT, "version_number" }, { "dag_id", FILTER_TEXT, "dag_id" },
          { "bundle_name", FILTER_TEXT, "bundle_name" }, { "bundle_version", FILTER_TEXT, "bundle_version" } },
        { { "id", "version_no" }, { "version_number", "version_number" }, { "created_at", "created_at" },
          { "dag_id", "dag_id" } },
    },
    [LIST_TAGS] = { "tags", SQL_api_tags, SCOPE_NONE, "name", 0,
                    { { "tag_name_pattern", FILTER_PATTERN, "name" } }, { { "name", "name" } }, .is_json = true },
    [LIST_POOLS] = {
        "pools", SQL_api_pools, SCOPE_NONE, "pool_no", 0,
        { { "pool_name_pattern", FILTER_PATTERN, "name" }, { "name", FILTER_TEXT, "name" } },
        { { "id", "pool_no" }, { "name", "name" }, { "pool", "name" }, { "slots", "slots" } },
    },
    [LIST_VARIABLES] = {
        "variables", SQL_api_variables, SCOPE_NONE, "variable_key", 0,
        { { "variable_key_pattern", FILTER_PATTERN, "variable_key" }, { "key", FILTER_TEXT, "variable_key" } },
        { { "id", "variable_key" }, { "key", "variable_key" } },
    },
    [LIST_CONNECTIONS] = {
        "connections", SQL_api_connections, SCOPE_NONE, "connection_id", 0,
        { { "connection_id_pattern", FILTER_PATTERN, "connection_id" }, { "connection_id", FILTER_TEXT, "connection_id" } },
        { { "id", "connection_id" }, { "connection_id", "connection_id" }, { "conn_id", "connection_id" },
          { "conn_type", "conn_type" } },
    },
    [LIST_AUDIT] = {
        "event_logs", SQL_api_audit, SCOPE_NONE, "event_log_id", 100000,
        {
            { "dag_id", FILTER_TEXT, "dag_id" }, { "task_id", FILTER_TEXT, "task_id" }, { "run_id", FILTER_TEXT, "run_id" },
            { "map_index", FILTER_INT, "map_index" }, { "try_number", FILTER_INT, "try_number" }, { "owner", FILTER_TEXT, "owner" }, { "event", FILTER_TEXT, "event" },
            { "included_events", FILTER_TEXT, "event" }, { "excluded_events", FILTER_NOT_TEXT, "event" },
            { "before", FILTER_TIME_BEFORE, "\"when\"" }, { "after", FILTER_TIME_AFTER, "\"when\"" },
            { "dag_id_pattern", FILTER_PATTERN, "dag_id" }, { "task_id_pattern", FILTER_PATTERN, "task_id" },
            { "run_id_pattern", FILTER_PATTERN, "run_id" }, { "owner_pattern", FILTER_PATTERN, "owner" },
            { "event_pattern", FILTER_PATTERN, "event" }, { "event_log_id", FILTER_INT, "event_log_id" },
        },
        { { "id", "event_log_id" }, { "event_log_id", "event_log_id" }, { "when", "\"when\"" }, { "dttm", "\"when\"" },
          { "dag_id", "dag_id" }, { "task_id", "task_id" }, { "run_id", "run_id" }, { "event", "event" },
          { "owner", "owner" }, { "map_index", "map_index" } },
        .is_wide = true,
    },
    [LIST_ASSETS] = {
        "assets", SQL_api_assets, SCOPE_NONE, "id", 0,
        { { "id", FILTER_INT, "id" }, { "name_pattern", FILTER_PATTERN, "name" }, { "uri_pattern", FILTER_PATTERN, "name" },
          { "dag_ids", FILTER_TAGS, "dag_ids" } },
        { { "id", "id" }, { "name", "name" }, { "uri", "name" }, { "created_at", "created_at" }, { "updated_at", "created_at" } },
        .is_json = true,
    },
    [LIST_ASSET_EVENTS] = {
        "asset_events", SQL_api_asset_events, SCOPE_NONE, "id", 0,
        { { "id", FILTER_INT, "id" }, { "asset_id", FILTER_INT, "asset_id" }, { "source_dag_id", FILTER_TEXT, "source_dag_id" },
          { "source_task_id", FILTER_TEXT, "source_task_id" }, { "source_run_id", FILTER_TEXT, "source_run_id" },
          { "source_map_index", FILTER_INT, "source_map_index" }, { "name_pattern", FILTER_PATTERN, "name" },
          { "timestamp", FILTER_TIME_RANGE, "timestamp" } },
        { { "id", "id" }, { "timestamp", "timestamp" }, { "asset_id", "asset_id" }, { "source_dag_id", "source_dag_id" },
          { "source_task_id", "source_task_id" }, { "source_run_id", "source_run_id" } },
        .is_json = true,
        .is_wide = true,
    },
    [LIST_QUEUED_EVENTS] = {
        "queued_events", SQL_api_queued_events, SCOPE_DAG, "created_at, dag_id, asset_id", 0,
        { { "asset_id", FILTER_INT, "asset_id" }, { "before", FILTER_TIME_BEFORE, "created_at" } },
        { { "created_at", "created_at" }, { "dag_id", "dag_id" }, { "asset_id", "asset_id" } },
        .is_json = true,
    },
    [LIST_BACKFILLS] = {
        "backfills", SQL_api_backfills, SCOPE_NONE, "id", 0,
        { { "id", FILTER_INT, "id" }, { "dag_id", FILTER_TEXT, "dag_id" }, { "active", FILTER_BOOL, "is_active" } },
        { { "id", "id" }, { "dag_id", "dag_id" }, { "from_date", "from_date" }, { "to_date", "to_date" },
          { "created_at", "created_at" }, { "completed_at", "completed_at" } },
        .is_wide = true,
    },
    [LIST_NOTIFICATIONS] = {
        "notifications", SQL_api_notifications, SCOPE_NONE, "made_at, notification_id", 100000,
        {
            { "state", FILTER_TEXT, "state" }, { "kind", FILTER_TEXT, "kind" }, { "event", FILTER_TEXT, "event" },
            { "dag_id", FILTER_TEXT, "dag_id" }, { "run_id", FILTER_TEXT, "run_id" }, { "task_id", FILTER_TEXT, "task_id" },
        },
        { { "made_at", "made_at" }, { "state", "state" }, { "dag_id", "dag_id" }, { "tries", "tries" } },
        .is_wide = true,
    },
    [LIST_JOBS] = {
        "jobs", SQL_api_jobs, SCOPE_NONE, "id", 0,
        {
            { "is_alive", FILTER_BOOL, "is_alive" }, { "job_state", FILTER_TEXT, "job_state" },
            { "job_type", FILTER_TEXT, "job_type" }, { "hostname", FILTER_TEXT, "hostname" },
            { "executor_class", FILTER_TEXT, "executor_class" }, { "start_date", FILTER_TIME_RANGE, "start_date" },
            { "end_date", FILTER_TIME_RANGE, "end_date" },
        },
        { { "id", "id" }, { "state", "job_state" }, { "job_type", "job_type" }, { "start_date", "start_date" },
          { "end_date", "end_date" }, { "latest_heartbeat", "latest_heartbeat" }, { "hostname", "hostname" } },
    },
};
