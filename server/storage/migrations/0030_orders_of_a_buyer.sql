-- Before each new order the shop asks how many of a buyer's orders are not paid, and for each price what the buyer spent in a
-- year. A reseller with thousands of orders must not be answered by walking through them: what is asked stands here, and
-- nothing else.
CREATE INDEX orders_unpaid ON orders (user_id, state) WHERE state IN ('awaiting_payment', 'paying');
CREATE INDEX orders_succeeded ON orders (user_id, state, payable_currency, created_at_ms, payable_minor) WHERE state = 'succeeded';
