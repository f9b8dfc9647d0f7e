// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is frozen: writers who are refused or wait in line, and what is said once it thaws. */
class FreezeTest {
  private static final String FREEZES = "/v1/main/freezes";
  private static final String PATH = "/v1/main/records/note/n";
  private final Served served = new Served();

  @AfterEach
  void close() {
    served.close();
  }

  private boolean wait(int writers) {
    return served.get(FREEZES).body().contains("\"waiting\":" + writers);
  }

  @Test
  void namesThatNothingBearsAreWarnedOf() {
    served.json("PUT", PATH, "{}");
    for (String request :
        List.of(
            "POST main/freezes {\"type\":\"noet\",\"reason\":\"x\"}",
            "POST main/freezes {\"type\":\"note\",\"id\":\"noet\",\"reason\":\"x\"}",
            "POST noet/freezes {\"reason\":\"x\"}",
            "GET main/records/noet ",
            "GET main/reviews?type=noet ",
            "GET noet/reviews ",
            "GET noet/changes ",
            "GET noet/records ",
            "PUT noet/retention {\"days\":30}",
            "PUT cluster/accounts/ann {\"grants\":[\"reader@noet\"]}",
            "PUT cluster/accounts/bob {\"grants\":[\"reader@main/noet\"]}")) {
      String[] parts = request.split(" ", 3);
      Served.Answer answer = served.json(parts[0], "/v1/" + parts[1], parts[2]);
      assertThat(answer.status()).as("%s: %s", request, answer.body()).isLessThan(300);
      assertThat(answer.response().headers().firstValue("entente-warning"))
          .as(request)
          .hasValueSatisfying(warning -> assertThat(warning).contains("noet"));
      if (!request.contains("changes")) {
        assertThat(answer.body()).as(request).contains("\"warnings\":[\"");
      }
    }
    served.json("DELETE", FREEZES, "{\"type\":\"note\",\"id\":\"noet\"}");
    for (String known : List.of("main/records/note", "main/reviews?type=note", "main/records")) {
      Served.Answer answer = served.get("/v1/" + known);
      assertThat(answer.response().headers().firstValue("entente-warning")).isEmpty();
      assertThat(answer.body()).doesNotContain("warnings");
    }
    assertThat(
            served
                .json("PUT", "/v1/cluster/accounts/ann", "{\"grants\":[\"reader@main/note\"]}")
                .response()
                .headers()
                .firstValue("entente-warning"))
        .isEmpty();
  }

  @Test
  void writersAreRefusedAndCounted() {
    served.json("POST", FREEZES, "{\"type\":\"note\",\"reason\":\"a fault\"}");
    assertThat(served.json("PUT", PATH, "{}").body()).contains("a fault");
    assertThat(served.json("PUT", PATH, "{}").status()).isEqualTo(423);
    assertThat(served.get(FREEZES).body()).contains("\"meanwhile\":\"refuse\"");
    assertThat(served.json("DELETE", FREEZES, "{\"type\":\"note\"}").body())
        .contains("\"refused\":2")
        .contains("\"waited\":0");
    assertThat(served.json("PUT", PATH, "{}").status()).isEqualTo(201);
    assertThat(served.json("DELETE", FREEZES, "{\"type\":\"note\"}").status()).isEqualTo(404);
  }

  @Test
  void writersWaitInLineAndGoOnInTheirOrder() throws InterruptedException {
    served.json("PUT", PATH, "{\"v\":0}");
    served.json("POST", FREEZES, "{\"reason\":\"a move\",\"meanwhile\":\"wait\"}");
    List<CompletableFuture<Integer>> writers = new ArrayList<>();
    for (int v = 1; v <= 4; v++) {
      String body = "{\"v\":" + v + "}";
      writers.add(
          CompletableFuture.supplyAsync(
              () -> served.json("PUT", PATH, body).status(), Thread::startVirtualThread));
      int inLine = v;
      Served.eventually(() -> wait(inLine));
    }
    assertThat(served.get(PATH).body()).as("reads go on").contains("{\"v\":0}");
    assertThat(served.json("DELETE", FREEZES, "{}").body())
        .contains("\"waited\":4")
        .contains("\"refused\":0");
    for (CompletableFuture<Integer> writer : writers) {
      assertThat(writer.join()).isEqualTo(200);
    }
    assertThat(served.get(PATH).body()).contains("{\"v\":4}");
    assertThat(served.get(PATH + "/history").body().replaceAll("\"acceptedAt.*?\"changes\":", ""))
        .containsSubsequence("\"set\":4", "\"set\":3", "\"set\":2", "\"set\":1");
    assertThat(served.get(FREEZES).body()).contains("\"frozen\":[]");
  }

  @Test
  void whatAFreezeCannotSayIsRefused() {
    assertThat(served.json("POST", FREEZES, "{\"meanwhile\":\"sleep\"}").status()).isEqualTo(422);
    assertThat(served.json("POST", FREEZES, "{\"reads\":\"some\"}").status()).isEqualTo(422);
    assertThat(served.get(FREEZES).body()).contains("\"frozen\":[]");
  }
}
