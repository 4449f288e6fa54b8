-- What these triggers ask is planned once for each connection, not for each row: a table that is kept by month looks
-- cheaper to the planner when it knows the value, and to plan so costs several times what the look-up itself does.
-- The parts that hold no such row are passed over when it runs.
ALTER FUNCTION topup_order_known() SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION topup_order_keyed() SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION topup_payment_numbered() SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION topup_attempt_counted() SET plan_cache_mode = force_generic_plan;
