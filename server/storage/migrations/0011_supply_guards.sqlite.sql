-- What was said to a supplier and heard from it is never changed.
CREATE TRIGGER supplier_exchanges_keep BEFORE UPDATE ON supplier_exchanges BEGIN SELECT RAISE(ABORT, 'exchanges are insert-only'); END;
CREATE TRIGGER supplier_exchanges_stay BEFORE DELETE ON supplier_exchanges BEGIN SELECT RAISE(ABORT, 'exchanges are insert-only'); END;
