-- Money tables by month, orders by user within the month. Every id that leads into them begins with its time (shared
-- alphabet of 32 characters, 10 of them milliseconds), so that a month is a range of ids and a look-up by id goes into
-- one month. A month that nobody foresaw is caught by the partition "other". What a partitioned table cannot promise
-- by itself (a key across all months, a reference to an order by its id alone) is kept by small tables and triggers.
-- Columns, indexes, checks, references and triggers are taken over as they are found here.

SET LOCAL statement_timeout = 0;

CREATE FUNCTION topup_id_floor(at_ms BIGINT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((at_ms >> (5 * i)) & 31)::int + 1, 1), '' ORDER BY i DESC)
    FROM generate_series(0, 9) AS i
$$;

CREATE TABLE partitioned_tables (
  name TEXT PRIMARY KEY,
  id_column TEXT NOT NULL,
  id_prefix TEXT NOT NULL,
  shards BIGINT NOT NULL,
  place BIGINT NOT NULL);
INSERT INTO partitioned_tables (name, id_column, id_prefix, shards, place) VALUES
  ('orders', 'order_id', '', 4, 1),
  ('order_events', 'order_id', '', 0, 2),
  ('payment_attempts', 'out_trade_no', 'T', 0, 3),
  ('refunds', 'out_refund_no', 'RT', 0, 4),
  ('supplier_attempts', 'attempt_id', 'S', 0, 5);

-- Makes what is missing of the months from that of from_ms on; returns how many it made. A month of which rows lie in
-- "other" already stays there.
CREATE FUNCTION topup_make_partitions(from_ms BIGINT, months BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
  made BIGINT := 0;
  first TIMESTAMP := date_trunc('month', to_timestamp(from_ms / 1000) AT TIME ZONE 'UTC');
  low TIMESTAMP;
  part TEXT;
  one RECORD;
BEGIN
  FOR month IN 0 .. months - 1 LOOP
    low := first + make_interval(months => month::int);
    FOR one IN SELECT name, id_prefix, shards FROM partitioned_tables ORDER BY place LOOP
      part := one.name || to_char(low, '_YYYY_MM');
      CONTINUE WHEN to_regclass(part) IS NOT NULL;
      BEGIN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', part, one.name,
            one.id_prefix || topup_id_floor((extract(epoch FROM low) * 1000)::bigint),
            one.id_prefix || topup_id_floor((extract(epoch FROM low + interval '1 month') * 1000)::bigint))
          || CASE WHEN one.shards > 0 THEN ' PARTITION BY HASH (user_id)' ELSE '' END;
        FOR shard IN 0 .. one.shards - 1 LOOP
          EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s)',
            part || '_' || shard, part, one.shards, shard);
        END LOOP;
        made := made + 1;
      EXCEPTION WHEN check_violation THEN
        RAISE WARNING '% stays in %_other', part, one.name;
      END;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;

-- Rows that no month was made for, counted up to 1000 in each table.
CREATE FUNCTION topup_stray_rows() RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
  strays BIGINT := 0;
  found_here BIGINT;
  one RECORD;
BEGIN
  FOR one IN SELECT name FROM partitioned_tables ORDER BY place LOOP
    EXECUTE format('SELECT COUNT(*) FROM (SELECT 1 FROM %I LIMIT 1000) AS strays', one.name || '_other') INTO found_here;
    strays := strays + found_here;
  END LOOP;
  RETURN strays;
END $$;

CREATE FUNCTION topup_order_known() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM orders WHERE order_id = NEW.order_id) THEN
    RAISE EXCEPTION '% breaks a foreign key: there is no such order', TG_TABLE_NAME USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION topup_order_keyed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('topup.moving_orders', true) = 'on' THEN RETURN NEW; END IF;  -- see topup_move_orders()
  IF EXISTS (SELECT 1 FROM orders WHERE order_id = NEW.order_id) THEN
    RAISE EXCEPTION 'a second order breaks a unique key' USING ERRCODE = 'unique_violation';
  END IF;
  INSERT INTO order_keys (user_id, client_key, order_id) VALUES (NEW.user_id, NEW.client_key, NEW.order_id);
  RETURN NEW;
END $$;

CREATE FUNCTION topup_order_unused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('topup.moving_orders', true) = 'on' THEN RETURN OLD; END IF;  -- see topup_move_orders()
  IF EXISTS (SELECT 1 FROM order_events WHERE order_id = OLD.order_id)
     OR EXISTS (SELECT 1 FROM payment_attempts WHERE order_id = OLD.order_id) THEN
    RAISE EXCEPTION 'to remove this order breaks a foreign key: it has a story' USING ERRCODE = 'foreign_key_violation';
  END IF;
  DELETE FROM order_keys WHERE user_id = OLD.user_id AND client_key = OLD.client_key;
  RETURN OLD;
END $$;

-- An order of the new user may lie in another shard, so that it leaves one partition and enters another.
CREATE FUNCTION topup_order_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.order_id <> OLD.order_id OR NEW.client_key <> OLD.client_key
     OR current_setting('topup.moving_orders', true) IS DISTINCT FROM 'on' THEN
    RAISE EXCEPTION 'the key of an order does not change' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

-- All orders of one user become those of another; how many they were.
CREATE FUNCTION topup_move_orders(from_user TEXT, into_user TEXT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
  moved BIGINT;
BEGIN
  PERFORM set_config('topup.moving_orders', 'on', true);
  UPDATE order_keys SET user_id = into_user WHERE user_id = from_user;
  UPDATE orders SET user_id = into_user WHERE user_id = from_user;
  GET DIAGNOSTICS moved = ROW_COUNT;
  PERFORM set_config('topup.moving_orders', 'off', true);
  RETURN moved;
END $$;

CREATE FUNCTION topup_payment_numbered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.transaction_id IS NOT DISTINCT FROM NEW.transaction_id THEN RETURN NEW; END IF;
    DELETE FROM payment_numbers WHERE channel = OLD.channel AND transaction_id = OLD.transaction_id;
  END IF;
  IF NEW.transaction_id IS NOT NULL THEN
    INSERT INTO payment_numbers (channel, transaction_id, out_trade_no)
    VALUES (NEW.channel, NEW.transaction_id, NEW.out_trade_no);
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION topup_attempt_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM supplier_attempts WHERE order_id = NEW.order_id AND attempt_no = NEW.attempt_no) THEN
    RAISE EXCEPTION 'a second attempt breaks a unique key' USING ERRCODE = 'unique_violation';
  END IF;
  RETURN NEW;
END $$;

DO $$
DECLARE
  one RECORD;
  kept TEXT[] := ARRAY[]::TEXT[];       -- statements that put back what was found
  referrers TEXT[] := ARRAY[]::TEXT[];  -- tables whose order_id must be that of an order
  said TEXT;
  oldest BIGINT;
  this_month BIGINT := (extract(epoch FROM now()) * 1000)::bigint;
BEGIN
  FOR one IN
    SELECT c.conname, c.conrelid::regclass::text AS owner, c.confrelid::regclass::text AS target,
           pg_get_constraintdef(c.oid) AS said
      FROM pg_constraint c
     WHERE c.contype = 'f' AND (c.conrelid::regclass::text IN (SELECT name FROM partitioned_tables)
                                OR c.confrelid::regclass::text IN (SELECT name FROM partitioned_tables))
     ORDER BY c.oid LOOP
    IF one.target = 'orders' THEN
      referrers := referrers || one.owner;
    ELSE
      kept := kept || format('ALTER TABLE %I ADD CONSTRAINT %I %s', one.owner, one.conname, one.said);
    END IF;
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', one.owner, one.conname);
  END LOOP;
  FOR one IN
    SELECT pg_get_indexdef(i.indexrelid) AS said
      FROM pg_index i JOIN partitioned_tables t ON t.name = i.indrelid::regclass::text
     WHERE NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid) ORDER BY i.indexrelid LOOP
    kept := kept || one.said;
  END LOOP;
  FOR one IN
    SELECT pg_get_triggerdef(g.oid) AS said
      FROM pg_trigger g JOIN partitioned_tables t ON t.name = g.tgrelid::regclass::text
     WHERE NOT g.tgisinternal ORDER BY g.oid LOOP
    kept := kept || one.said;
  END LOOP;

  FOR one IN SELECT name, id_column FROM partitioned_tables ORDER BY place LOOP
    EXECUTE format('ALTER TABLE %I RENAME TO %I', one.name, one.name || '_before');
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (%I)', one.name,
      one.name || '_before', one.id_column);
    EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', one.name || '_other', one.name);
  END LOOP;
  SELECT MIN(created_at_ms) INTO oldest FROM orders_before;
  oldest := GREATEST(LEAST(COALESCE(oldest, this_month), this_month), this_month - 10 * 366 * 86400000::bigint);
  PERFORM topup_make_partitions(oldest, 2 + (EXTRACT(YEAR FROM age(to_timestamp(this_month / 1000), to_timestamp(oldest / 1000))) * 12
    + EXTRACT(MONTH FROM age(to_timestamp(this_month / 1000), to_timestamp(oldest / 1000))))::bigint);
  FOR one IN SELECT name FROM partitioned_tables ORDER BY place LOOP
    EXECUTE format('INSERT INTO %I SELECT * FROM %I', one.name, one.name || '_before');
    EXECUTE format('DROP TABLE %I', one.name || '_before');
  END LOOP;

  ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY (order_id, user_id);
  ALTER TABLE order_events ADD CONSTRAINT order_events_pkey PRIMARY KEY (order_id, seq);
  ALTER TABLE payment_attempts ADD CONSTRAINT payment_attempts_pkey PRIMARY KEY (out_trade_no);
  ALTER TABLE refunds ADD CONSTRAINT refunds_pkey PRIMARY KEY (out_refund_no);
  ALTER TABLE supplier_attempts ADD CONSTRAINT supplier_attempts_pkey PRIMARY KEY (attempt_id);
  CREATE INDEX supplier_attempts_by_order ON supplier_attempts (order_id, attempt_no);
  FOREACH said IN ARRAY kept LOOP
    EXECUTE said;
  END LOOP;

  CREATE TABLE order_keys (
    user_id TEXT NOT NULL,
    client_key TEXT NOT NULL,
    order_id TEXT NOT NULL,
    PRIMARY KEY (user_id, client_key)) PARTITION BY HASH (user_id);
  CREATE TABLE payment_numbers (
    channel TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    out_trade_no TEXT NOT NULL,
    PRIMARY KEY (channel, transaction_id)) PARTITION BY HASH (transaction_id);
  FOR shard IN 0 .. 3 LOOP
    EXECUTE format('CREATE TABLE order_keys_%s PARTITION OF order_keys FOR VALUES WITH (MODULUS 4, REMAINDER %s)', shard, shard);
    EXECUTE format('CREATE TABLE payment_numbers_%s PARTITION OF payment_numbers FOR VALUES WITH (MODULUS 4, REMAINDER %s)',
      shard, shard);
  END LOOP;
  INSERT INTO order_keys (user_id, client_key, order_id) SELECT user_id, client_key, order_id FROM orders;
  INSERT INTO payment_numbers (channel, transaction_id, out_trade_no)
    SELECT channel, transaction_id, out_trade_no FROM payment_attempts WHERE transaction_id IS NOT NULL;

  FOREACH said IN ARRAY referrers LOOP
    EXECUTE format('CREATE TRIGGER order_known BEFORE INSERT OR UPDATE OF order_id ON %I FOR EACH ROW '
      || 'EXECUTE FUNCTION topup_order_known()', said);
  END LOOP;
END $$;

CREATE TRIGGER orders_keyed BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION topup_order_keyed();
CREATE TRIGGER orders_unused BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION topup_order_unused();
CREATE TRIGGER orders_fixed BEFORE UPDATE OF order_id, user_id, client_key ON orders
  FOR EACH ROW EXECUTE FUNCTION topup_order_fixed();
CREATE TRIGGER payments_numbered AFTER INSERT OR UPDATE ON payment_attempts
  FOR EACH ROW EXECUTE FUNCTION topup_payment_numbered();
CREATE TRIGGER attempts_counted BEFORE INSERT ON supplier_attempts
  FOR EACH ROW EXECUTE FUNCTION topup_attempt_counted();
