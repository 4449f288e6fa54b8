#!/usr/bin/env python3
"""Puts many orders into a shop that stands still: rows only, for measuring what finds them. Usage:

    fill_orders.py sqlite FILE COUNT LIKE     LIKE: the id of a real order, whose hidden indexes some rows take over
    fill_orders.py postgres URL COUNT LIKE    through psql

Sixty days up to now, more by day than by night; 97 of 100 succeeded, the rest in every other state; a buyer has about
eight orders; one in ten thousand has the number's end of LIKE, twelve have its whole number. Every order has a payment and,
once paid, an attempt at a supplier. The same COUNT gives the same rows but for the time.
"""
import random
import sqlite3
import subprocess
import sys
import time

KEYS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DAYS = 60
STATES = (("succeeded", 970), ("closed", 12), ("refunded", 9), ("unknown", 2), ("refunding", 2), ("awaiting_payment", 1),
          ("paying", 1), ("recharging", 1), ("manual", 1), ("awaiting_approval", 1))
UNPAID = {"closed", "awaiting_payment", "paying"}
PRODUCTS = (("cn-mobile-5000", "cn-mobile", "中国移动", "China Mobile", 5000), ("cn-mobile-10000", "cn-mobile", "中国移动",
            "China Mobile", 10000), ("cn-unicom-10000", "cn-unicom", "中国联通", "China Unicom", 10000),
            ("cn-telecom-3000", "cn-telecom", "中国电信", "China Telecom", 3000))
ORDERS = ("order_id", "user_id", "client_key", "client_fingerprint", "state", "version", "product_id", "operator_id",
          "operator_name_zh", "operator_name_en", "account_sealed", "account_masked", "face_minor", "face_currency",
          "payable_minor", "payable_currency", "delivered_minor", "delivered_currency", "quote", "event_seq", "trace_id",
          "created_at_ms", "updated_at_ms", "pay_by_ms", "account_index", "tail_index")
PAYMENTS = ("out_trade_no", "order_id", "channel", "scene", "state", "amount_minor", "amount_currency", "paid_minor",
            "transaction_id", "expires_at_ms", "created_at_ms", "updated_at_ms")
SUPPLIES = ("attempt_id", "order_id", "attempt_no", "supplier", "supplier_operator_id", "country", "state",
            "supplier_order_id", "cost_minor", "cost_currency", "created_at_ms", "updated_at_ms")
TABLES = (("users", ("user_id", "created_at_ms")), ("orders", ORDERS), ("payment_attempts", PAYMENTS),
          ("supplier_attempts", SUPPLIES))


def digits(number, count):
    return "".join(KEYS[number >> (5 * at) & 31] for at in range(count - 1, -1, -1))


def rows(count, account, tail):
    """One order after the other: (user row or None, order, payment, attempt or None)."""
    draw = random.Random(count)
    words = [word for word, share in STATES for _ in range(share)]
    now = int(time.time() * 1000)
    first = now - DAYS * 86_400_000
    quote = '{"lines":[' + ",".join('{"kind":"list","minor":%d}' % n for n in range(4)) + "]}"
    for n in range(count):
        # The day's hours in the shop's zone: three of four orders between 8 and 24.
        at = first + (now - first) * n // count
        hour = (at // 3_600_000 + 8) % 24
        if hour < 8 and draw.random() < 0.6:
            at += (8 - hour) * 3_600_000
        at = min(at, now - 60_000)
        order_id = digits(at, 10) + digits(n, 4) + digits(draw.getrandbits(60), 12)
        user = "01BENCH" + digits(n // 8, 19)
        state = words[draw.randrange(len(words))]
        product, operator, zh, en, face = PRODUCTS[draw.randrange(len(PRODUCTS))]
        mine = account if n % (count // 12 + 1) == 7 else "%032x" % draw.getrandbits(128)
        end = tail if n % 10_000 == 3 or mine == account else "%032x" % draw.getrandbits(128)
        payable = face * 995 // 1000
        order = (order_id, user, "key-%d" % n, "f", state, 4, product, operator, zh, en, "v1.00000000." + "A" * 56,
                 "138****%04d" % (n % 10_000), face, "CNY", payable, "CNY", face, "CNY", quote, 4, "%032x" % n, at, at + 9_000,
                 at + 900_000, mine, end)
        channel = "wechat" if draw.random() < 0.7 else "alipay"
        paid = state not in UNPAID
        payment = ("T" + order_id + "1", order_id, channel, "h5", "paid" if paid else "closed", payable, "CNY",
                   payable if paid else 0, "42000%d" % n if paid else None, at + 900_000, at, at + 5_000)
        attempt = None
        if paid:
            attempt = ("S" + order_id + "1", order_id, 1, "reloadly" if draw.random() < 0.8 else "dtone", "1", "CN",
                       "succeeded" if state == "succeeded" else "unknown", "R%d" % n, face * 97 // 100, "CNY", at + 5_000,
                       at + 9_000)
        yield (user, at) if n % 8 == 0 else None, order, payment, attempt


def batches(count, account, tail, size=20_000):
    made = [[], [], [], []]
    for parts in rows(count, account, tail):
        for table, row in zip(made, parts):
            if row is not None:
                table.append(row)
        if len(made[1]) == size:
            yield made
            made = [[], [], [], []]
    yield made


def fill_sqlite(path, count, like):
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous=OFF")
    account, tail = db.execute("SELECT account_index, tail_index FROM orders WHERE order_id = ?", (like,)).fetchone()
    for made in batches(count, account, tail):
        for (table, columns), values in zip(TABLES, made):
            marks = ",".join("?" * len(columns))
            db.executemany(f"INSERT INTO {table} ({','.join(columns)}) VALUES ({marks})", values)
        db.commit()
    db.execute("ANALYZE")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def fill_postgres(url, count, like):
    said = subprocess.run(["psql", url, "-Atc", f"SELECT account_index, tail_index FROM orders WHERE order_id = '{like}'"],
                          check=True, capture_output=True, text=True).stdout.strip()
    account, tail = said.split("|")
    first = int(time.time() * 1000) - DAYS * 86_400_000
    psql = subprocess.Popen(["psql", url, "-q", "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE, text=True)
    out = psql.stdin
    out.write(f"SET client_min_messages = warning; SELECT topup_make_partitions({first}, 4) AS made \\gset\n")
    # The rows are as the shop's own guards want them; a look-up for each of them is not what is measured.
    out.write("SET session_replication_role = replica; SET synchronous_commit = off;\n")
    for made in batches(count, account, tail):
        for (table, columns), values in zip(TABLES, made):
            if not values:
                continue
            out.write(f"COPY {table} ({','.join(columns)}) FROM STDIN;\n")
            for row in values:
                out.write("\t".join("\\N" if one is None else str(one) for one in row) + "\n")
            out.write("\\.\n")
    out.write("INSERT INTO order_keys (user_id, client_key, order_id) SELECT user_id, client_key, order_id FROM orders"
              " WHERE client_key LIKE 'key-%';\nANALYZE;\n")
    out.close()
    if psql.wait() != 0:
        sys.exit("psql failed")


def main():
    engine, where, count, like = sys.argv[1:]
    {"sqlite": fill_sqlite, "postgres": fill_postgres}[engine](where, int(count), like)


main()
