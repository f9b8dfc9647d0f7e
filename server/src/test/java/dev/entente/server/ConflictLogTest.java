// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Conflicts are one line of the log each, hot spots say when, and flags are true or false. */
class ConflictLogTest {
  private final Served served = new Served();
  private final List<String> lines = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    served.close();
  }

  private void clash(String id, String other) {
    String path = "/v1/main/records/note/" + id;
    served.json("PUT", path, "{\"v\":0,\"other\":0}");
    String context = served.get(path).text("context");
    served.json("PUT", path, "{\"v\":1,\"other\":0}", "Entente-Context", context);
    served.json("PUT", path, "{\"v\":2,\"other\":" + other + "}", "Entente-Context", context);
  }

  private List<String> conflicts() {
    return lines.stream().filter(line -> line.startsWith("CONFLICT ")).toList();
  }

  @Test
  void eachConflictIsOneLineOfTheLog() throws Exception {
    served.node.observe(new ConflictLog(lines::add)::accept);
    clash("r1", "0");
    clash("a%20b", "1");
    Served.eventually(() -> conflicts().size() >= 2);
    assertThat(conflicts()).hasSize(2).allMatch(line -> !line.contains("\n"));
    assertThat(conflicts().getFirst())
        .contains("tenant=\"main\" type=\"note\" id=\"r1\" unit=\"v\"", "status=pending")
        .doesNotContain("other");
    assertThat(conflicts().getLast()).contains("id=\"a b\"");
  }

  @Test
  void hotSpotsSayWhenTheFirstAndTheLastConflictWas() throws Exception {
    clash("r1", "0");
    Served.eventually(() -> served.get("/v1/main/hotspots").body().contains("r1"));
    assertThat(served.get("/v1/main/hotspots").body())
        .contains("\"firstAt\":\"2", "\"lastAt\":\"2", "\"windowMillis\":");
  }

  @Test
  void flagsThatAreNeitherTrueNorFalseAreRefused() {
    clash("r1", "0");
    for (String body :
        List.of(
            "{\"filter\":{\"type\":\"note\"},\"choose\":0,\"dryRun\":\"true\"}",
            "{\"filter\":{\"type\":\"note\"},\"choose\":0,\"dryRun\":1}",
            "{\"filter\":{\"type\":\"note\"},\"ignore\":\"yes\"}")) {
      assertThat(served.json("POST", "/v1/main/reviews/decisions", body).status())
          .as(body)
          .isEqualTo(422);
    }
    for (String path : List.of("restores", "retention/runs")) {
      assertThat(
              served
                  .json(
                      "POST",
                      "/v1/main/" + path,
                      "{\"to\":\"2020-01-01T00:00:00Z\",\"dryRun\":\"true\"}")
                  .status())
          .as(path)
          .isEqualTo(422);
    }
    assertThat(served.get("/v1/main/records/note/r1?explain=yes").status()).isEqualTo(422);
    assertThat(served.get("/v1/main/records/note/r1?explain=true").status()).isEqualTo(200);
    assertThat(served.get("/v1/main/reviews").body()).contains("\"total\":1");
  }
}
