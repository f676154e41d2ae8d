import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/** What a request of the Java servers does. */
final class Work {
  private static final int POOL_SIZE = 8;
  private static final BlockingQueue<Connection> POOL = new ArrayBlockingQueue<>(POOL_SIZE);
  private static final Path DIRECTORY = Path.of(System.getenv("WORK_DIR"));

  private Work() {}

  static void open() throws Exception {
    String url =
        "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE");
    for (int count = 0; count < POOL_SIZE; count++) {
      POOL.add(DriverManager.getConnection(url, System.getenv("PGUSER"), ""));
    }
  }

  static byte[] answer(String path, String query) throws Exception {
    String text = path.equals("/work") ? work(parameters(query)) : "ready\n";
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String work(Map<String, String> parameters) throws Exception {
    String given = parameters.get("id");
    boolean isReversed = "reversed".equals(parameters.get("carry"));
    String mark = isReversed ? new StringBuilder(given).reverse().toString() : given;
    insert(mark);
    Process child = new ProcessBuilder("/bin/echo", mark).start();
    child.getInputStream().readAllBytes();
    child.waitFor();
    Path path = DIRECTORY.resolve(mark + ".txt");
    Files.writeString(path, "visited\n");
    Files.delete(path);
    select(mark);
    return "done " + given + "\n";
  }

  private static void insert(String mark) throws Exception {
    Connection connection = POOL.take();
    try (var statement = connection.prepareStatement("INSERT INTO visits (mark) VALUES (?)")) {
      statement.setString(1, mark);
      statement.executeUpdate();
    } finally {
      POOL.add(connection);
    }
  }

  private static void select(String mark) throws Exception {
    Connection connection = POOL.take();
    try (var statement = connection.createStatement()) {
      statement.execute("SELECT 1 /* " + mark + " */");
    } finally {
      POOL.add(connection);
    }
  }

  private static Map<String, String> parameters(String query) {
    Map<String, String> result = new HashMap<>();
    for (String pair : query.split("&")) {
      String[] parts = pair.split("=", 2);
      result.put(parts[0], parts.length > 1 ? URLDecoder.decode(parts[1], StandardCharsets.UTF_8) : "");
    }
    return result;
  }
}
