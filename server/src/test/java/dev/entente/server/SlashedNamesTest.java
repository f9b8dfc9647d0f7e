// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.record.RecordKey;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Names may hold slashes: what is said of one record, type or tenant is said of no other. */
class SlashedNamesTest {
  private final Served served = new Served();

  @AfterEach
  void close() {
    served.close();
  }

  @Test
  void noTwoRecordsHaveOneText() {
    List<String> names = List.of("a", "b", "a/b", "b/a", "a%2Fb", "a%252Fb", "%", "/", "a/");
    Set<String> texts = new HashSet<>();
    for (String tenant : names) {
      assertThat(RecordKey.nameOf(RecordKey.scope(tenant))).isEqualTo(tenant);
      for (String type : names) {
        for (String id : names) {
          assertThat(texts.add(new RecordKey(tenant, type, id).toString())).isTrue();
        }
      }
    }
  }

  @Test
  void freezeHoldsForWhatItNamesAlone() {
    served.json("PUT", "/v1/main/records/a/b", "{}");
    served.json("PUT", "/v1/main/records/a%2Fb/c", "{}");
    served.json("PUT", "/v1/main%2Fa/records/b/c", "{}");
    String freezes = "/v1/main/freezes";
    served.json("POST", freezes, "{\"type\":\"a\",\"id\":\"b\",\"reason\":\"x\"}");
    served.json("POST", freezes, "{\"type\":\"other\",\"reason\":\"x\"}");
    assertThat(put("/v1/main/records/a/b")).isEqualTo(423);
    assertThat(put("/v1/main/records/a%2Fb/c")).isEqualTo(200);
    served.json("DELETE", freezes, "{\"type\":\"a\",\"id\":\"b\"}");
    served.json("POST", freezes, "{\"type\":\"a/b\",\"reason\":\"y\"}");
    assertThat(put("/v1/main/records/a%2Fb/c")).isEqualTo(423);
    assertThat(put("/v1/main/records/a/b")).isEqualTo(200);
    served.json("DELETE", freezes, "{\"type\":\"a/b\"}");
    served.json("POST", freezes, "{\"type\":\"a\",\"reason\":\"z\"}");
    assertThat(put("/v1/main%2Fa/records/b/c")).as("another tenant").isEqualTo(200);
    assertThat(served.get("/v1/main%2Fa/freezes").body()).doesNotContain("\"z\"");
    served.json("POST", "/v1/main%2Fa/freezes", "{\"reason\":\"own\"}");
    assertThat(put("/v1/main%2Fa/records/b/c")).isEqualTo(423);
    assertThat(served.get(freezes).body()).doesNotContain("own");
    assertThat(served.get("/v1/main%2Fa/audit").body()).contains("own");
  }

  private int put(String path) {
    return served.json("PUT", path, "{\"n\":" + System.nanoTime() + "}").status();
  }

  @Test
  void exportAndErasureOfOneRecordLeaveOthersOut() throws InterruptedException {
    String one = "/v1/main/records/a%2Fb/c";
    String other = "/v1/main/records/a/b%2Fc";
    served.json("PUT", one, "{}", "Entente-Author", "ann");
    served.json("PUT", other, "{}", "Entente-Author", "bob");
    assertThat(served.get(one + "/export").body()).contains("\"ann\"").doesNotContain("\"bob\"");
    served.json("POST", one + "/erasure", "{\"reason\":\"asked for\"}");
    Served.eventually(() -> served.get(one + "/erasure").body().contains("\"done\""));
    assertThat(served.get(other + "/export").body()).contains("\"audit\"", "\"bob\"");
    assertThat(served.get("/v1/main/audit?actor=bob").body()).contains("\"write\"");
  }
}
