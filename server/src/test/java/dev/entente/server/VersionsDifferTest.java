// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Nodes that hold different versions under one number say so themselves, soon after they meet. */
class VersionsDifferTest {
  private static final String SECRET = "a secret of the cluster";
  private final List<Served> served = new ArrayList<>();

  private Served serve(MemoryStore store, String name, Served... seeds) {
    List<String> urls =
        Arrays.stream(seeds).map(seed -> "http://127.0.0.1:" + seed.port()).toList();
    Node node = Node.open(store, NodeConfig.DEFAULT.withName(name));
    Served started = new Served(node, Optional.of(new Peering("", urls, SECRET)));
    served.add(started);
    return started;
  }

  @AfterEach
  void close() {
    served.forEach(Served::close);
  }

  private static void put(Served at, String id, String body) {
    assertThat(at.json("PUT", "/v1/main/records/note/" + id, body).status()).isIn(200, 201);
  }

  private static MemoryStore copy(MemoryStore store) {
    MemoryStore copy = new MemoryStore();
    Batch batch = new Batch();
    store.copy((table, key, value) -> batch.put(table, key, value));
    copy.commit(batch);
    return copy;
  }

  private static boolean isTold(Served at) {
    JsonObject status = at.get("/v1/cluster").json();
    return !((JsonArray) status.get("versionsDiffer")).items().isEmpty()
        && at.get("/v1/cluster/alerts").body().contains("versions-differ")
        && at.get("/health/ready").body().contains("versions-differ")
        && at.get("/v1/cluster/audit?limit=100").body().contains("versions-differ");
  }

  @Test
  void aDirectoryThatWasPutBackWhileTheOthersWereAwayIsToldByAllThreeNodes() throws Exception {
    Served a = serve(new MemoryStore(), "a");
    Served b = serve(new MemoryStore(), "b", a);
    MemoryStore store = new MemoryStore();
    Served c = serve(store, "c", a);
    put(c, "before", "{\"v\":1}");
    Served.eventually(() -> a.get("/v1/main/records/note/before").status() == 200);
    MemoryStore earlier = copy(store);
    put(c, "first", "{\"v\":1}");
    for (Served at : List.of(a, b)) {
      Served.eventually(() -> at.get("/v1/main/records/note/first").status() == 200);
    }
    c.close();
    served.remove(c);

    // Alone it goes beyond the numbers that the others have seen.
    Served alone = serve(earlier, "c");
    for (int i = 0; i < 5; i++) {
      put(alone, "second-" + i, "{\"v\":" + i + "}");
    }
    MemoryStore later = copy(earlier);
    alone.close();
    served.remove(alone);

    Served again = serve(later, "c", a);
    for (Served at : List.of(again, a, b)) {
      Served.eventually(() -> isTold(at));
    }
    assertThat(a.send("GET", "/metrics", new byte[0], Map.of()).body())
        .containsPattern("entente_versions_differing [1-9]");
  }

  @Test
  void aDirectoryThatWasPutBackIsMendedWithEveryWriteKept() throws Exception {
    Served a = serve(new MemoryStore(), "a");
    MemoryStore store = new MemoryStore();
    Served c = serve(store, "c", a);
    put(c, "before", "{\"v\":1}");
    Served.eventually(() -> a.get("/v1/main/records/note/before").status() == 200);
    MemoryStore earlier = copy(store);
    put(c, "first", "{\"v\":1}");
    Served.eventually(() -> a.get("/v1/main/records/note/first").status() == 200);
    c.close();
    served.remove(c);
    Served alone = serve(earlier, "c");
    put(alone, "second", "{\"v\":2}");
    put(alone, "second", "{\"v\":3}");
    MemoryStore later = copy(earlier);
    alone.close();
    served.remove(alone);

    Served again = serve(later, "c", a);
    Served.eventually(() -> isTold(again) && isTold(a));
    assertThat(verify(again, false).get("restarts")).isEqualTo(Json.of(false));
    assertThat(verify(a, true).get("restarts")).isEqualTo(Json.of(false));
    JsonObject mended = verify(again, true);
    assertThat(mended.get("problem").isAbsent()).isTrue();
    assertThat(mended.get("restarts")).isEqualTo(Json.of(true));
    assertThat(again.node.failure()).isPresent();
    again.close();
    served.remove(again);

    Served last = serve(copy(later), "c", a);
    for (Served at : List.of(a, last)) {
      Served.eventually(() -> at.get("/v1/main/records/note/first").status() == 200);
      Served.eventually(() -> at.get("/v1/main/records/note/second").body().contains("3"));
      Served.eventually(
          () -> ((JsonArray) at.get("/v1/cluster").json().get("versionsDiffer")).items().isEmpty());
    }
    assertThat(((JsonArray) verify(last, true).get("disputed")).items()).isEmpty();
    assertThat(last.node.id().value()).isNotEqualTo("c.1");
  }

  private static JsonObject verify(Served at, boolean mend) {
    return (JsonObject)
        at.json("POST", "/v1/cluster/verify", "{\"mend\":" + mend + "}").json().get("versions");
  }
}
