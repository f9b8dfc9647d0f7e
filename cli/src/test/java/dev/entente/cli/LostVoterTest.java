// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.group.FreePort;
import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A voter's disk is lost and put right by the runbook, with real processes; no write is lost. */
class LostVoterTest {
  private static final String SEAT = "/v1/main/records/seat/";

  @TempDir Path folder;
  private final Map<String, String> ports = new TreeMap<>();
  private final Map<String, String> votes = new TreeMap<>();
  private final Map<String, RealNode> nodes = new LinkedHashMap<>();
  private int written;

  @AfterEach
  void end() throws InterruptedException {
    for (RealNode node : nodes.values()) {
      node.kill();
    }
  }

  private void start(String name) throws IOException {
    nodes.put(
        name,
        RealNode.start(
            folder.resolve(name),
            Map.of("ENTENTE_SECRET", "a secret of the cluster"),
            "--name",
            name,
            "--port",
            ports.getOrDefault(name, ""),
            "--peers",
            String.join(",", ports.values().stream().map(p -> "http://127.0.0.1:" + p).toList()),
            "--voters",
            String.join(
                ",",
                votes.entrySet().stream().map(v -> v.getKey() + "=" + v.getValue()).toList())));
  }

  private RealNode node(String name) {
    return nodes.getOrDefault(name, nodes.values().iterator().next());
  }

  private static void eventually(Eventually.Check check) throws IOException, InterruptedException {
    Eventually.holds(Duration.ofSeconds(30), check);
  }

  private Ran run(String at, String command) throws IOException, InterruptedException {
    return Ran.at(node(at), folder, command);
  }

  private void write(String at) throws IOException, InterruptedException {
    String path = SEAT + ++written;
    eventually(() -> node(at).send("PUT", path, "{\"at\":\"" + at + "\"}").statusCode() < 300);
  }

  private void everythingIsRead(String at) throws IOException, InterruptedException {
    for (int i = 1; i <= written; i++) {
      String path = SEAT + i;
      eventually(() -> {
        var read = node(at).send("GET", path, "");
        return read.statusCode() == 200 && read.headers().firstValue("Entente-Stale").isEmpty();
      });
    }
  }

  @Test
  void whatWasAcknowledgedOutlivesTheLossOfOneDiskAfterAnother() throws Exception {
    for (String name : new String[] {"a", "b", "c"}) {
      ports.put(name, String.valueOf(FreePort.find()));
      votes.put(name, "127.0.0.1:" + FreePort.find());
    }
    for (String name : ports.keySet()) {
      start(name);
    }
    String policy = "type: seat\nconsistency: strong\n";
    eventually(() ->
        node("a").send("PUT", "/v1/main/policies/seat", "application/yaml", policy).statusCode()
            == 200);
    for (String lost : new String[] {"c", "b", "a"}) {
      for (String at : ports.keySet()) {
        write(at);
      }
      node(lost).kill();
      Folders.delete(folder.resolve(lost));
      start(lost);
      eventually(() -> run(lost, "cluster").output().contains("does not vote: a node called"));
      assertThat(run(lost, "cluster").output()).contains("cluster remove-voter " + lost);
      write(lost);
      Ran removed = run(lost, "cluster remove-voter " + lost);
      assertThat(removed.code()).as(removed.output()).isZero();
      eventually(() -> run(lost, "cluster").output().contains("waits to be let in"));
      Ran added = run(lost, "cluster add-voter " + lost + "=" + votes.get(lost));
      assertThat(added.output()).contains("agreed: --voters a=").contains(",c=");
      eventually(() -> run(lost, "cluster").output().contains("votes with a, b, c"));
      everythingIsRead(lost);
    }
    assertThat(node("a").send("POST", "/v1/cluster/verify", "{}").body())
        .as("the nodes have the same")
        .contains("\"findings\":[]");
  }
}
