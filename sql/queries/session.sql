-- name: session_generic_plans
-- gives: text text
-- For the writing connection: its statements take arrays, of which a plan made for their values knows nothing better, and
-- planning costs more than executing (docs/adr/0007-one-statement-per-kind-of-row.md).
SELECT set_config('plan_cache_mode', 'force_generic_plan', false), set_config('jit', 'off', false)
