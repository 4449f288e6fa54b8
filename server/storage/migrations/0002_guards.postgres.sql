-- What must hold whatever the code above does: the books and the audit trail only grow, and no journal is unbalanced.

CREATE FUNCTION topup_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION topup_journal_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT COUNT(*) FROM postings WHERE journal_id = NEW.journal_id) < 2
     OR EXISTS (SELECT 1 FROM postings WHERE journal_id = NEW.journal_id
                GROUP BY amount_currency HAVING SUM(amount_minor) <> 0) THEN
    RAISE EXCEPTION 'journal does not balance' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION topup_posting_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM journals WHERE journal_id = NEW.journal_id) THEN
    RAISE EXCEPTION 'journal is sealed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER journals_balance BEFORE INSERT ON journals FOR EACH ROW EXECUTE FUNCTION topup_journal_balances();
CREATE TRIGGER postings_sealed BEFORE INSERT ON postings FOR EACH ROW EXECUTE FUNCTION topup_posting_unsealed();

CREATE TRIGGER journals_keep BEFORE UPDATE ON journals
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('journals are insert-only');
CREATE TRIGGER journals_stay BEFORE DELETE ON journals
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('journals are insert-only');
CREATE TRIGGER journals_whole BEFORE TRUNCATE ON journals
  FOR EACH STATEMENT EXECUTE FUNCTION topup_refuse('journals are insert-only');
CREATE TRIGGER postings_keep BEFORE UPDATE ON postings
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('postings are insert-only');
CREATE TRIGGER postings_stay BEFORE DELETE ON postings
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('postings are insert-only');
CREATE TRIGGER postings_whole BEFORE TRUNCATE ON postings
  FOR EACH STATEMENT EXECUTE FUNCTION topup_refuse('postings are insert-only');
CREATE TRIGGER audit_keep BEFORE UPDATE ON audit_log
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('the audit log is append-only');
CREATE TRIGGER audit_stay BEFORE DELETE ON audit_log
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('the audit log is append-only');
CREATE TRIGGER audit_whole BEFORE TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION topup_refuse('the audit log is append-only');
CREATE TRIGGER order_events_keep BEFORE UPDATE ON order_events
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('order events are insert-only');
CREATE TRIGGER order_events_stay BEFORE DELETE ON order_events
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('order events are insert-only');
CREATE TRIGGER order_events_whole BEFORE TRUNCATE ON order_events
  FOR EACH STATEMENT EXECUTE FUNCTION topup_refuse('order events are insert-only');
