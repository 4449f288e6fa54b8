-- Whose money a payment becomes, as its channel names that merchant (empty: the shop's own account), and what is kept of
-- a ticket so that it can be handed out again: the address of a sheet, what a code says, or a number to sign anew.

ALTER TABLE payment_attempts ADD COLUMN payee TEXT NOT NULL DEFAULT '';
ALTER TABLE payment_attempts RENAME COLUMN h5_url TO ticket;
