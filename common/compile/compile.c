// SPDX-License-Identifier: Apache-2.0
#include "common/compile/compiler.h"

#include "common/base/assert.h"
#include "common/text/yaml.h"

/* ---- one document ---- */

static void clear_document(struct compiler *compiler)
{
    for (uint32_t i = 0; i < compiler->tasks.count; i++)
        VEC_CLEAR(&compiler->tasks.items[i].upstream);
    VEC_CLEAR(&compiler->tasks);
    VEC_CLEAR(&compiler->groups);
    VEC_CLEAR(&compiler->edges);
    map_clear(&compiler->task_ids);
    map_clear(&compiler->group_ids);
    arena_reset(&compiler->scratch);
    compiler->ancestors_of = 0;
    compiler->ancestor_steps = 0;
}

/* "etl/load.yaml" -> "load" */
static struct str id_of_file(struct str filename)
{
    const char *slash = filename.size == 0 ? NULL : memrchr(filename.bytes, '/', filename.size);
    if (slash != NULL)
        filename = str_slice(filename, (size_t)(slash - filename.bytes) + 1, filename.size);
    const char *dot = filename.size == 0 ? NULL : memrchr(filename.bytes, '.', filename.size);
    return dot == NULL || dot == filename.bytes
               ? filename
               : str_slice(filename, 0, (size_t)(dot - filename.bytes));
}

static void take_id_of_file(struct compiler *compiler)
{
    struct str id = id_of_file(compiler->filename);
    if (id_is_valid(id))
        compiler->dag->id = keep(compiler, id);
    else
        problem(compiler, PLACE_OF(compiler->document), "write dag_id: ..., or rename the file",
                "the file's name cannot be the id of a DAG");
}

static void check_dates(struct compiler *compiler)
{
    if (compiler->dag->end_ms < compiler->dag->start_ms)
        problem(compiler, PLACE_OF(value_get(compiler->document, "end_date")), "exchange the two",
                "end_date lies before start_date");
}

static void read_document(struct compiler *compiler)
{
    const struct value *document = compiler->document;
    find_tasks(compiler, document, STR_EMPTY, -1);
    const struct value *params = value_get(document, "params");
    compiler->params = params != NULL && params->type == VALUE_MAP ? params : NULL;
    compiler->dag = dag_new(compiler->tasks.count);
    compiler->ancestor = ARENA_ARRAY(&compiler->scratch, uint32_t, compiler->tasks.count);
    compiler->stack = ARENA_ARRAY(&compiler->scratch, uint32_t, compiler->tasks.count + 1);
    read_zone_first(compiler, document);
    read_keys(compiler, document, PLACE_DAG, compiler->dag, NULL, -1);
    const struct value *id = value_get(document, "dag_id");
    if (id == NULL || id->type == VALUE_NULL)
        take_id_of_file(compiler);
    check_dates(compiler);
    const struct value *tasks = value_get(document, "tasks");
    if (tasks != NULL && tasks->type == VALUE_MAP && tasks->count == 0 &&
        compiler->groups.count == 0)
        problem(compiler, PLACE_OF(tasks), "write tasks: {hello: {bash: \"echo hello\"}}",
                "the DAG has no tasks");
    read_graph(compiler);
    read_tasks(compiler);
}

/* The finished dag, or NULL when there are problems. */
static struct dag *compile_document(struct compiler *compiler, const struct value *document)
{
    uint32_t before = compiler->problem_total;
    if (document->type != VALUE_MAP) {
        problem(compiler, PLACE_OF(document), "begin with tasks: {hello: {bash: \"echo hello\"}}",
                "a DAG is a mapping with keys such as schedule and tasks, not %s",
                value_type_name(document->type));
        return NULL;
    }
    compiler->document = document;
    read_document(compiler);
    struct err err = { 0 };
    if (compiler->problem_total == before && dag_build(compiler->dag, &err) < 0)
        problem_err(compiler, PLACE_OF(document), "", &err);
    struct dag *dag = compiler->dag;
    if (compiler->problem_total > before) {
        dag_free(dag);
        dag = NULL;
    }
    compiler->dag = NULL;
    clear_document(compiler);
    return dag;
}

/* ---- the file ---- */

struct dags {
    VEC(struct dag *) dags;
    VEC(const struct value *) documents;
};

static bool has_id(struct compiler *compiler, const struct dags *all, const struct dag *dag,
                   const struct value *document)
{
    for (uint32_t i = 0; i < all->dags.count; i++) {
        if (!str_eq(all->dags.items[i]->id, dag->id))
            continue;
        const struct value *id = value_get(document, "dag_id");
        problem(compiler, id != NULL ? PLACE_OF(id) : PLACE_OF(document),
                "give each document a dag_id of its own",
                "the document on line %u has the id '%.*s' already", all->documents.items[i]->line,
                STR_ARG(dag->id));
        return true;
    }
    return false;
}

static void compile_documents(struct compiler *compiler, const struct yaml *yaml, struct dags *all)
{
    bool sound = yaml->problem_count == 0;
    for (uint32_t i = 0; i < yaml->document_count; i++) {
        const struct value *document = yaml->documents[i];
        if (document->type == VALUE_NULL)
            continue;
        struct dag *dag = compile_document(compiler, document);
        if (dag == NULL)
            continue;
        /* Where the YAML itself is wrong a document may mean something else than it seems. */
        if (!sound || has_id(compiler, all, dag, document)) {
            dag_free(dag);
            continue;
        }
        VEC_ADD(&all->dags, dag);
        VEC_ADD(&all->documents, document);
    }
}

static void give_sources(struct compiler *compiler, const struct dags *all,
                         struct compile_result *out)
{
    out->sources = ARENA_ARRAY(compiler->arena, struct str, all->documents.count);
    for (uint32_t i = 0; i < all->documents.count; i++)
        out->sources[i] = place_document(compiler, all->documents.items[i]->line);
}

static int by_place(const void *a, const void *b)
{
    const struct compile_problem *left = a, *right = b;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    if (left->column != right->column)
        return left->column < right->column ? -1 : 1;
    return str_cmp(left->sentence, right->sentence);
}

static bool same_problem(const struct compile_problem *a, const struct compile_problem *b)
{
    return a->line == b->line && a->column == b->column && str_eq(a->sentence, b->sentence);
}

/* In order, each once: what stands in an anchor is found wherever it is used. */
static void give_problems(struct compiler *compiler, struct compile_result *out)
{
    uint32_t count = compiler->problems.count, kept = 0;
    struct compile_problem *all =
        arena_copy(compiler->arena, compiler->problems.items, count * sizeof *all);
    qsort(all, count, sizeof *all, by_place);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || !same_problem(&all[kept - 1], &all[i]))
            all[kept++] = all[i];
    out->problems = all;
    out->problem_count = kept;
}

/* Whether a Python file is one that Airflow would look for DAGs in: its "safe mode". Others are
 * what tasks import. */
static bool has_airflow_dags(struct arena *arena, struct str text)
{
    char *lower = arena_copy(arena, text.bytes, text.size);

    for (size_t i = 0; i < text.size; i++)
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] - 'A' + 'a');
    return memmem(lower, text.size, "dag", 3) != NULL &&
           memmem(lower, text.size, "airflow", 7) != NULL;
}

static void refuse_python(struct compiler *compiler)
{
    if (has_airflow_dags(compiler->arena, compiler->text))
        problem(compiler, (struct place_in_file) { 1, 1 },
                "write the DAG in YAML: docs/api/moving.md says what becomes of what; a task can "
                "call this file's "
                "functions by python: {callable: \"module:function\"}",
                "DAGs in Python files are not read yet");
}

static void take_options(struct compiler *compiler, const struct compile_options *options)
{
    if (options != NULL)
        compiler->options = *options;
    if (compiler->options.map_length_max == 0)
        compiler->options.map_length_max = COMPILE_MAP_LENGTH_MAX;
}

int compile_file(struct arena *arena, struct str filename, struct str text,
                 const struct compile_options *options, struct compile_result *out)
{
    struct compiler compiler = { .arena = arena, .filename = filename, .text = text };
    struct yaml_limits limits = { COMPILE_BYTES_MAX, COMPILE_DEPTH_MAX, YAML_ALIAS_NODES_MAX,
                                  COMPILE_PROBLEMS_MAX };
    struct dags all = { 0 };
    struct yaml yaml;
    take_options(&compiler, options);
    /* A byte order mark moves nothing that people count. */
    if (str_starts(compiler.text, "\xEF\xBB\xBF"))
        compiler.text = str_slice(compiler.text, 3, compiler.text.size);
    if (str_ends(filename, ".py")) {
        refuse_python(&compiler);
        yaml = (struct yaml) { 0 };
    } else if (yaml_parse(arena, compiler.text, &limits, &yaml) < 0) {
        for (uint32_t i = 0; i < yaml.problem_count; i++) {
            const struct yaml_problem *p = &yaml.problems[i];
            problem(&compiler, (struct place_in_file) { p->line, p->column },
                    str_cstr(arena, p->advice), "%.*s", STR_ARG(p->sentence));
        }
        compiler.yaml_problem_count = compiler.problems.count;
    }
    compile_documents(&compiler, &yaml, &all);
    *out = (struct compile_result) { .dag_count = all.dags.count };
    out->dags = arena_copy(arena, all.dags.items, all.dags.count * sizeof *all.dags.items);
    give_sources(&compiler, &all, out);
    give_problems(&compiler, out);
    VEC_CLEAR(&all.dags);
    VEC_CLEAR(&all.documents);
    VEC_CLEAR(&compiler.problems);
    VEC_CLEAR(&compiler.lines);
    arena_clear(&compiler.scratch);
    return out->problem_count == 0 ? 0 : ERR_INVALID;
}

void compile_clear(struct compile_result *result)
{
    for (uint32_t i = 0; i < result->dag_count; i++)
        dag_free(result->dags[i]);
    *result = (struct compile_result) { 0 };
}

struct str compile_problem_text(struct arena *arena, const struct compile_problem *problem)
{
    struct buf buf;
    buf_init(&buf);
    buf_add_str(&buf, problem->file);
    if (problem->line > 0)
        buf_printf(&buf, ":%u:%u", problem->line, problem->column);
    buf_printf(&buf, ": %.*s", STR_ARG(problem->sentence));
    if (problem->advice.size > 0)
        buf_printf(&buf, "; %.*s", STR_ARG(problem->advice));
    struct str text = str_copy(arena, buf_str(&buf));
    buf_clear(&buf);
    return text;
}
