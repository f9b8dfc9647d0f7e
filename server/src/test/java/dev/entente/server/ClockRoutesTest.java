// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.entente.core.codec.VersionCodec;
import dev.entente.core.json.Json;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An operator ends what a wrong clock left behind: over HTTP, by name, and on the record. */
class ClockRoutesTest {
  private static final long YEARS = TimeUnit.DAYS.toMillis(5 * 365);
  private static final String ADMIT = "/v1/cluster/held/east/admit";

  private final AtomicLong jump = new AtomicLong();
  private final Served east =
      new Served(
          Node.open(
              new MemoryStore(),
              NodeConfig.DEFAULT
                  .withName("east")
                  .withClock(
                      () -> System.currentTimeMillis() + jump.get(),
                      () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()))),
          config -> config);
  private final Served west = new Served(node("west"), config -> config);

  private static Node node(String name) {
    return Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName(name));
  }

  @AfterEach
  void close() {
    east.close();
    west.close();
  }

  /** Writes under a clock that is years ahead, which the other node does not take. */
  private void strand(Served writer) {
    writer.json("PUT", "/v1/main/records/note/a", "{\"v\":1}");
    writer.json("PUT", "/v1/main/records/note/a", "{\"v\":2}");
    List<byte[]> log =
        writer.node.changes("main", 0, 10).stream()
            .map(entry -> VersionCodec.toBytes(entry.version()))
            .toList();
    west.node.receive(log).join();
    assertThat(west.get("/v1/main/records/note/a").status()).isEqualTo(404);
  }

  @Test
  void whatWaitsForTheClockIsListedAndAdmittedByTheNameOfItsNode() {
    Node ahead =
        Node.open(
            new MemoryStore(),
            NodeConfig.DEFAULT
                .withName("east")
                .withClock(() -> System.currentTimeMillis() + YEARS));
    try (Served writer = new Served(ahead, config -> config)) {
      strand(writer);
    }
    assertThat(west.get("/v1/cluster").json().get("heldForClock")).hasToString("{\"east\":2}");
    for (String unknown : List.of("nobody", "west", "ea%20st")) {
      String path = "/v1/cluster/held/" + unknown + "/admit";
      assertThat(west.json("POST", path, "{}").status()).as(unknown).isIn(404, 422);
    }
    String operator = "Bearer " + west.account("op", "operator@*");
    assertThat(west.json("POST", ADMIT, "{}", "Authorization", operator).status()).isEqualTo(403);
    assertThat(west.get("/v1/main/records/note/a").status()).isEqualTo(404);
    Served.Answer admitted = west.json("POST", ADMIT, "{}", "Entente-Author", "eve");
    assertThat(admitted.status()).as(admitted.body()).isEqualTo(200);
    assertThat(admitted.json().get("joined")).isEqualTo(Json.of(2));
    assertThat(admitted.json().get("held")).isEqualTo(Json.of(0));
    assertThat(west.get("/v1/main/records/note/a").body()).contains("\"v\":2");
    assertThat(west.get("/v1/cluster").json().get("heldForClock")).hasToString("{}");
    assertThat(west.node.audit(entry -> entry.action().equals("admit"), Long.MAX_VALUE, 9))
        .singleElement()
        .asString()
        .contains("eve");
    assertThat(west.json("POST", ADMIT, "{}").status()).as("nothing waits any more").isEqualTo(404);
  }

  @Test
  void anAdministratorSaysThatTheClockIsRightAndNothingElseDoes() {
    assertThat(east.get("/v1/cluster").body()).contains("\"jumpMillis\":0");
    jump.set(YEARS);
    Served.Answer ahead = east.get("/v1/cluster");
    // The two clocks are read one after the other, and rounded.
    String shown = ahead.body().replaceAll("(?s).*\"jumpMillis\":(\\d+).*", "$1");
    assertThat(Long.parseLong(shown)).isCloseTo(YEARS, within(1_000L));
    for (String body : List.of("{}", "{\"accept\":false}", "{\"accept\":\"true\"}", "{\"x\":1}")) {
      assertThat(east.json("POST", "/v1/cluster/clock", body).status()).as(body).isEqualTo(422);
    }
    String operator = "Bearer " + east.account("op", "operator@*");
    String accept = "{\"accept\":true}";
    assertThat(east.json("POST", "/v1/cluster/clock", accept, "Authorization", operator).status())
        .isEqualTo(403);
    assertThat(east.node.clock().jumpMillis()).isNotZero();
    Served.Answer accepted = east.json("POST", "/v1/cluster/clock", accept);
    assertThat(accepted.status()).as(accepted.body()).isEqualTo(200);
    assertThat(accepted.body()).contains("\"jumpMillis\":0").doesNotContain("refuses");
    assertThat(east.node.nowMillis()).isGreaterThan(System.currentTimeMillis() + YEARS / 2);
  }
}
