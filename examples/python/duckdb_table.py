# SPDX-License-Identifier: MIT
import alloy, duckdb

con = duckdb.connect()
con.sql("create table points as select range / 2 as x, range as y from range(10)")
with alloy.open("build/backends/score_cpp.so", certificate="@build/dev.crt") as score:
    cursor = con.cursor()  # a connection runs one query at a time
    scored = score.score.stream(cursor.sql("select x, y from points"))
    print(con.sql("select count(*), avg(score) from scored").fetchall())  # [(10, 14.25)]
    alloy.duckdb.register(con, score.score)
    print(con.sql("select score(x, y) from points limit 3").fetchall())  # [(0.0,), (0.5,), (2.0,)]
