package peer;

import com.google.gson.Gson;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.logging.LogManager;

/**
 * A Java library as a peer, chosen by the argument: each line of standard input is a JSON list of commands, each line
 * of output its answers.
 */
public final class Main {
  public static void main(String[] arguments) throws IOException {
    LogManager.getLogManager().reset();
    Gson gson = new Gson();
    PrintStream output = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    boolean brave = arguments[0].equals("brave");
    Function<Protocol.Command, Protocol.Answer> peer = brave ? BravePeer::answer : OpenTelemetryPeer::answer;
    output.println(gson.toJson(versions(brave ? "brave" : "opentelemetry")));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      Protocol.Command[] commands = gson.fromJson(line, Protocol.Command[].class);
      output.println(gson.toJson(Arrays.stream(commands).map(command -> guarded(peer, command)).toList()));
    }
  }

  /** What the library throws at its user is an answer too. */
  private static Protocol.Answer guarded(
      Function<Protocol.Command, Protocol.Answer> peer, Protocol.Command command) {
    try {
      return peer.apply(command);
    } catch (RuntimeException error) {
      return new Protocol.Answer(null, null, error.getClass().getSimpleName());
    }
  }

  private static List<String> versions(String prefix) {
    return Arrays.stream(System.getProperty("java.class.path").split(":"))
        .map(path -> path.substring(path.lastIndexOf('/') + 1).replace(".jar", ""))
        .filter(name -> name.startsWith(prefix))
        .sorted()
        .toList();
  }

  private Main() {}
}
