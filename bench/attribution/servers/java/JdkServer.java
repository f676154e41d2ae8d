import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

/** The JDK's own server with a pool: one thread accepts and waits, others read and answer. */
final class JdkServer {
  public static void main(String[] arguments) throws Exception {
    Work.open();
    var address = new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT")));
    HttpServer server = HttpServer.create(address, 512);
    server.setExecutor(Executors.newFixedThreadPool(16));
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            var uri = exchange.getRequestURI();
            byte[] body = Work.answer(uri.getPath(), uri.getQuery() == null ? "" : uri.getQuery());
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
          } catch (Exception error) {
            error.printStackTrace();
          }
        });
    server.start();
  }
}
