import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;

/** Requests are read by few threads and handed to a pool that works on them and answers, as asynchronous servlets do. */
final class ExecutorServer {
  private static final Executor WORKERS = Executors.newFixedThreadPool(16);

  public static void main(String[] arguments) throws Exception {
    Work.open();
    var address = new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT")));
    HttpServer server = HttpServer.create(address, 512);
    server.setExecutor(Executors.newFixedThreadPool(4));
    server.createContext("/", exchange -> WORKERS.execute(() -> answer(exchange)));
    server.start();
  }

  private static void answer(HttpExchange exchange) {
    try (exchange) {
      var uri = exchange.getRequestURI();
      byte[] body = Work.answer(uri.getPath(), uri.getQuery() == null ? "" : uri.getQuery());
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    } catch (Exception error) {
      error.printStackTrace();
    }
  }
}
