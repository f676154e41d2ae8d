"""Asks MariaDB: sql.py STATEMENT..."""

import sys

import pymysql

with pymysql.connect(host="127.0.0.1", port=3306, user="root") as database, database.cursor() as cursor:
    for statement in sys.argv[1:]:
        cursor.execute(statement)
        print(cursor.fetchall())
