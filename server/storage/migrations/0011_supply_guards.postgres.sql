-- What was said to a supplier and heard from it is never changed.
CREATE TRIGGER supplier_exchanges_keep BEFORE UPDATE ON supplier_exchanges
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('exchanges are insert-only');
CREATE TRIGGER supplier_exchanges_stay BEFORE DELETE ON supplier_exchanges
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('exchanges are insert-only');
CREATE TRIGGER supplier_exchanges_whole BEFORE TRUNCATE ON supplier_exchanges
  FOR EACH STATEMENT EXECUTE FUNCTION topup_refuse('exchanges are insert-only');
