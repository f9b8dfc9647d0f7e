// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.store.MemoryStore;
import dev.entente.server.EntenteServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What an operator types about clocks, as the runbook and the alerts say it. */
class ClockCommandsTest {
  private static final long YEARS = TimeUnit.DAYS.toMillis(5 * 365);
  private static final RecordKey KEY = new RecordKey("main", "note", "n");

  private final AtomicLong jump = new AtomicLong();
  private final Node node =
      Node.open(
          new MemoryStore(),
          NodeConfig.DEFAULT
              .withName("west")
              .withClock(
                  () -> System.currentTimeMillis() + jump.get(),
                  () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime())));
  private EntenteServer server;

  @BeforeEach
  void serve() throws IOException {
    server = EntenteServer.start(node, "127.0.0.1", 0, RealNode.TOKEN, Optional.empty());
  }

  @AfterEach
  void close() {
    server.close();
    node.close();
  }

  private String run(String action, String of) {
    ClusterCommand command = new ClusterCommand();
    new CommandLine(command)
        .parseArgs(of.isEmpty() ? new String[] {action} : new String[] {action, of});
    StringWriter said = new StringWriter();
    String url = "http://127.0.0.1:" + server.port();
    Client client = new Client(Map.of("ENTENTE_URL", url, "ENTENTE_TOKEN", RealNode.TOKEN));
    assertThat(command.run(client, new PrintWriter(said, true))).isEqualTo(ExitCodes.OK);
    return said.toString();
  }

  @Test
  void acceptClockNeedsNoNameOfANode() {
    jump.set(YEARS);
    assertThat(node.clock().jumpMillis()).isNotZero();
    run("accept-clock", "");
    assertThat(node.clock().jumpMillis()).isZero();
  }

  @Test
  void admitTakesInWhatOneNodeWroteUnderAWrongClock() {
    NodeConfig ahead =
        NodeConfig.DEFAULT.withName("east").withClock(() -> System.currentTimeMillis() + YEARS);
    try (Node east = Node.open(new MemoryStore(), ahead)) {
      Edit edit = new Edit.Put(JsonObject.of("v", Json.of(1)));
      east.write(WriteRequest.of(KEY, edit, new WriteRequest.Seen.Everything(), "ann")).join();
      List<byte[]> log =
          east.changes("main", 0, 10).stream()
              .map(entry -> VersionCodec.toBytes(entry.version()))
              .toList();
      node.receive(log).join();
    }
    assertThat(run("show", "")).contains("entente cluster admit east");
    assertThatThrownBy(() -> run("admit", "")).hasMessageContaining("name the node");
    assertThatThrownBy(() -> run("admit", "nobody")).hasMessageContaining("nobody");
    assertThat(run("admit", "east")).doesNotContain("entente cluster admit");
    assertThat(node.heldForClock()).isEmpty();
    assertThat(node.read(KEY).view().exists()).isTrue();
  }
}
