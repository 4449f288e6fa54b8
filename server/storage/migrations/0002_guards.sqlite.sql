-- What must hold whatever the code above does: the books and the audit trail only grow, and no journal is unbalanced.

CREATE TRIGGER journals_balance BEFORE INSERT ON journals
WHEN (SELECT COUNT(*) FROM postings WHERE journal_id = NEW.journal_id) < 2
  OR EXISTS (SELECT 1 FROM postings WHERE journal_id = NEW.journal_id
             GROUP BY amount_currency HAVING SUM(amount_minor) <> 0)
BEGIN SELECT RAISE(ABORT, 'journal does not balance'); END;

CREATE TRIGGER postings_sealed BEFORE INSERT ON postings
WHEN EXISTS (SELECT 1 FROM journals WHERE journal_id = NEW.journal_id)
BEGIN SELECT RAISE(ABORT, 'journal is sealed'); END;

CREATE TRIGGER journals_keep BEFORE UPDATE ON journals BEGIN SELECT RAISE(ABORT, 'journals are insert-only'); END;
CREATE TRIGGER journals_stay BEFORE DELETE ON journals BEGIN SELECT RAISE(ABORT, 'journals are insert-only'); END;
CREATE TRIGGER postings_keep BEFORE UPDATE ON postings BEGIN SELECT RAISE(ABORT, 'postings are insert-only'); END;
CREATE TRIGGER postings_stay BEFORE DELETE ON postings BEGIN SELECT RAISE(ABORT, 'postings are insert-only'); END;
CREATE TRIGGER audit_keep BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_stay BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER order_events_keep BEFORE UPDATE ON order_events BEGIN SELECT RAISE(ABORT, 'order events are insert-only'); END;
CREATE TRIGGER order_events_stay BEFORE DELETE ON order_events BEGIN SELECT RAISE(ABORT, 'order events are insert-only'); END;
