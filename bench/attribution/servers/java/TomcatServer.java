import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.apache.catalina.startup.Tomcat;

/** Tomcat with its usual connector (NIO: a poller and workers), embedded. */
final class TomcatServer {
  public static void main(String[] arguments) throws Exception {
    Work.open();
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(System.getenv("WORK_DIR") + "/..");
    tomcat.setPort(Integer.parseInt(System.getenv("PORT")));
    var connector = tomcat.getConnector();
    connector.setProperty("address", "127.0.0.1");
    connector.setProperty("maxThreads", "16");
    connector.setProperty("acceptCount", "512");
    var context = tomcat.addContext("", null);
    Tomcat.addServlet(context, "work", new WorkServlet());
    context.addServletMappingDecoded("/", "work");
    tomcat.start();
    tomcat.getServer().await();
  }

  private static final class WorkServlet extends HttpServlet {
    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException, ServletException {
      try {
        String query = request.getQueryString();
        byte[] body = Work.answer(request.getRequestURI(), query == null ? "" : query);
        response.setContentType("text/plain");
        response.setContentLength(body.length);
        response.getOutputStream().write(body);
      } catch (IOException error) {
        throw error;
      } catch (Exception error) {
        throw new ServletException(error);
      }
    }
  }
}
