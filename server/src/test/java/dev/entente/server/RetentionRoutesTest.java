// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** For how long versions are kept, and what is said of those that are not. */
class RetentionRoutesTest {
  private static final String RETENTION = "/v1/main/retention";
  private static final String PATH = "/v1/main/records/note/n";
  private final Served served = new Served();

  @AfterEach
  void close() {
    served.close();
  }

  private String run(String body) throws InterruptedException {
    String begun = served.json("POST", RETENTION + "/runs", body).body();
    String id = begun.replaceAll(".*\"id\":\"([^\"]+)\".*", "$1");
    String job = "/v1/main/jobs/" + id;
    Served.eventually(() -> served.get(job).body().contains("\"state\":\"done\""));
    return served.get(job).body();
  }

  @Test
  void aTenantSaysForHowLong() {
    assertThat(served.get(RETENTION).body()).contains("\"days\":30", "\"own\":false");
    assertThat(served.json("PUT", RETENTION, "{\"days\":7}").body())
        .contains("\"days\":7", "\"own\":true");
    for (String bad : new String[] {"-1", "1.5", "36501", "\"7\"", "null"}) {
      assertThat(served.json("PUT", RETENTION, "{\"days\":" + bad + "}").status())
          .as(bad)
          .isEqualTo(422);
    }
    assertThat(served.json("PUT", RETENTION, "{\"days\":0}").body()).contains("\"days\":0");
    assertThat(served.json("POST", RETENTION + "/runs", "{}").status()).isEqualTo(409);
    assertThat(served.json("DELETE", RETENTION, "").body()).contains("\"days\":30");
  }

  @Test
  void whatIsAskedForAndNotKeptIsSaidToBeGone() throws InterruptedException {
    String begun = Instant.now().toString();
    for (int i = 0; i < 5; i++) {
      served.json("PUT", PATH, "{\"v\":" + i + "}");
    }
    String now = Instant.now().plusMillis(1).toString();
    String before = "{\"before\":\"" + now + "\"";
    assertThat(run(before + ",\"dryRun\":true}")).contains("\"changed\":4", "\"dryRun\":true");
    assertThat(served.get(PATH + "/history").body()).doesNotContain("keptSince");
    assertThat(run(before + "}")).contains("\"changed\":4", "\"failed\":0");
    assertThat(run(before + "}")).as("a second time").contains("\"changed\":0");
    assertThat(served.get(PATH).body()).contains("{\"v\":4}");
    assertThat(served.get(PATH + "/history").body())
        .contains("keptSince", "\"set\":4")
        .doesNotContain("\"set\":3");
    Served.Answer then = served.get(PATH + "?at=" + begun);
    assertThat(then.status()).isEqualTo(410);
    assertThat(then.body()).contains("\"code\":\"gone\"", "is kept since");
    Served.Answer changes = served.get("/v1/main/changes");
    assertThat(changes.response().headers().firstValue("entente-pruned")).contains("true");
    String cursor = changes.response().headers().firstValue("entente-cursor").orElseThrow();
    assertThat(
            served
                .get("/v1/main/changes?since=" + cursor)
                .response()
                .headers()
                .firstValue("entente-pruned"))
        .isEmpty();
    assertThat(served.json("POST", "/v1/main/restores", "{\"to\":\"" + begun + "\"}").status())
        .isEqualTo(202);
    assertThat(served.get(PATH).body()).as("not undone by mistake").contains("{\"v\":4}");
  }
}
