// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Finding, giving out and erasing what is kept of a person. */
class SubjectRoutesTest {
  private static final String PATIENT = "/v1/main/records/patient/p7";
  private static final String ERASURE = PATIENT + "/erasure";
  private final Served served = new Served();

  @AfterEach
  void close() {
    served.close();
  }

  @Test
  void recordsThatNameSomebodyAreFoundPageByPage() {
    for (int i = 0; i < 5; i++) {
      served.json("PUT", "/v1/main/records/visit/v" + i, "{\"who\":{\"name\":\"Ada L.\"}}");
      served.json("PUT", "/v1/main/records/other/o" + i, "{\"who\":\"Bob\"}");
    }
    served.json("PUT", "/v1/main/records/card/ada-1", "{}");
    String path = "/v1/main/subjects?naming=Ada%20L&limit=2";
    StringBuilder found = new StringBuilder();
    String next = "";
    int pages = 0;
    do {
      String page = served.get(next.isEmpty() ? path : path + "&cursor=" + next).body();
      found.append(page);
      next = page.contains("\"next\"") ? page.replaceAll(".*\"next\":\"([^\"]+)\".*", "$1") : "";
      pages++;
    } while (!next.isEmpty());
    assertThat(pages).isGreaterThan(2);
    assertThat(found).contains("v0", "v1", "v2", "v3", "v4").doesNotContain("o1", "card");
    assertThat(served.get("/v1/main/subjects?naming=ada-1").body()).contains("\"card\"");
    assertThat(served.get("/v1/main/subjects?naming=").status()).isEqualTo(422);
    assertThat(served.get("/v1/main/subjects?naming=" + "x".repeat(201)).status()).isEqualTo(422);
    assertThat(served.get("/v1/main/subjects?naming=x&cursor=zzz").status()).isEqualTo(400);
  }

  @Test
  void allThatIsKeptIsGivenOutAndThenErased() throws InterruptedException {
    served.json("PUT", PATIENT, "{\"name\":\"Ada\"}");
    served.json("PUT", PATIENT, "{\"name\":\"Ada Lovelace\"}");
    Served.Answer export = served.get(PATIENT + "/export");
    assertThat(export.status()).isEqualTo(200);
    assertThat(export.body().lines().toList())
        .hasSize(5)
        .satisfiesOnlyOnce(line -> assertThat(line).startsWith("{\"record\":"))
        .anySatisfy(line -> assertThat(line).startsWith("{\"version\":").contains("\"Ada\""))
        .anySatisfy(line -> assertThat(line).startsWith("{\"audit\":"));
    assertThat(served.get("/v1/cluster/audit").body())
        .as("who was given it")
        .contains("\"action\":\"export\"", "main/patient/p7", "\"by\":\"admin\"");
    assertThat(served.get(ERASURE).status()).isEqualTo(404);
    assertThat(served.json("POST", ERASURE, "{}").status()).as("say why").isEqualTo(422);
    Served.Answer begun = served.json("POST", ERASURE, "{\"reason\":\"request 12\"}");
    assertThat(begun.status()).isEqualTo(202);
    assertThat(begun.body()).contains("\"reason\":\"request 12\"");
    Served.eventually(() -> served.get(ERASURE).body().contains("\"stage\":\"done\""));
    assertThat(served.get(PATIENT).status()).isEqualTo(404);
    assertThat(served.get(PATIENT + "/history").body())
        .contains("\"erased\":true", "keptSince")
        .doesNotContain("Ada");
    assertThat(served.get(PATIENT + "/export").body()).doesNotContain("Ada");
    assertThat(served.get("/v1/main/audit").body())
        .contains("\"action\":\"erase\"")
        .doesNotContain("Ada");
    assertThat(served.get("/v1/main/changes").body()).doesNotContain("Ada");
    assertThat(served.get("/v1/main/erasures").body()).contains("\"p7\"");
    assertThat(served.json("POST", "/v1/verify", "").body()).contains("\"intact\":true");
  }

  @Test
  void whatNeverWasIsNotErased() {
    assertThat(served.json("POST", ERASURE, "{\"reason\":\"r\"}").status()).isEqualTo(404);
    assertThat(served.get(PATIENT + "/export").status()).isEqualTo(404);
  }
}
