// The JDBC driver: text and binary transfer, server-side prepared statements,
// arrays, batches, cursors, and what it says of types and indexes.

import java.sql.*;
import org.postgresql.util.PGobject;

public class Jdbc {
    static Connection conn;

    static PGobject vector(String text) throws SQLException {
        PGobject value = new PGobject();
        value.setType("vector");
        value.setValue(text);
        return value;
    }

    static void run(String sql, Object... args) throws SQLException {
        StringBuilder line = new StringBuilder(sql + " ->");
        try (PreparedStatement statement = conn.prepareStatement(sql)) {
            for (int i = 0; i < args.length; i++)
                statement.setObject(i + 1, args[i]);
            if (statement.execute())
                try (ResultSet rows = statement.getResultSet()) {
                    while (rows.next()) {
                        line.append(" (");
                        for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++)
                            line.append(i == 1 ? "" : ", ").append(rows.getString(i));
                        line.append(")");
                    }
                }
            else
                line.append(" ").append(statement.getUpdateCount());
        } catch (SQLException e) {
            line.append(" ").append(e.getSQLState()).append(" ").append(e.getMessage().split("\n")[0]);
        }
        System.out.println(line);
    }

    public static void main(String[] args) throws SQLException {
        String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/"
            + System.getenv("PGDATABASE") + "?prepareThreshold=2&preferQueryMode=";
        for (String mode : new String[] {"simple", "extended", "extendedCacheEverything"}) {
            System.out.println("== " + mode);
            conn = DriverManager.getConnection(url + mode, System.getenv("PGUSER"), "");
            conn.createStatement().execute("DROP TABLE IF EXISTS t");
            run("CREATE TABLE t (id int PRIMARY KEY, v vector(3), h halfvec(3), vs vector[])");
            run("CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops)");
            try (PreparedStatement insert = conn.prepareStatement("INSERT INTO t (id, v) VALUES (?, ?)")) {
                for (int i = 1; i <= 5; i++) {
                    insert.setInt(1, i);
                    insert.setObject(2, vector("[" + i + ",1,2]"));
                    insert.addBatch();
                }
                System.out.println("batch " + insert.executeBatch().length);
            }
            for (int i = 1; i <= 7; i++)
                run("SELECT id, v, v <-> ? FROM t ORDER BY v <-> ?, id LIMIT 1", vector("[4,1,2]"), vector("[4,1,2]"));
            run("SELECT id FROM t ORDER BY v <-> ?::vector LIMIT 1", "[3,1,2]");
            run("UPDATE t SET h = ?::halfvec, vs = ? WHERE id = 1 RETURNING h, vs", "[1,2,3]",
                conn.createArrayOf("vector", new Object[] {vector("[1,2]"), vector("[3]")}));
            run("UPDATE t SET v = ?::float8[] WHERE id = 1 RETURNING v",
                conn.createArrayOf("float8", new Double[] {1.5, 2.0, 3.0}));
            run("INSERT INTO t (id, v) VALUES (6, ?)", vector("[1,2]"));
            run("INSERT INTO t (id, v) VALUES (7, ?)", new Object[] {null});
            conn.setAutoCommit(false);
            try (PreparedStatement rows = conn.prepareStatement("SELECT id FROM t WHERE v IS NOT NULL ORDER BY v <-> ?, id")) {
                rows.setFetchSize(2);
                rows.setObject(1, vector("[5,1,2]"));
                ResultSet result = rows.executeQuery();
                for (System.out.print("cursor"); result.next();)
                    System.out.print(" " + result.getInt(1));
                System.out.println();
            }
            conn.setAutoCommit(true);
        }
        ResultSet columns = conn.getMetaData().getColumns(null, "public", "t", null);
        while (columns.next())
            System.out.println(columns.getString("COLUMN_NAME") + " " + columns.getString("TYPE_NAME") + " "
                + columns.getInt("DATA_TYPE"));
        ResultSet indexes = conn.getMetaData().getIndexInfo(null, "public", "t", false, false);
        while (indexes.next())
            System.out.println(indexes.getString("INDEX_NAME") + " " + indexes.getString("COLUMN_NAME") + " "
                + indexes.getShort("TYPE"));
        conn.close();
    }
}
