-- On PostgreSQL the key of an order is found in a small table of its own, because orders are kept by month there. A file
-- has one table of orders, and this is the same look-up.

CREATE VIEW order_keys AS SELECT user_id, client_key, order_id FROM orders;
