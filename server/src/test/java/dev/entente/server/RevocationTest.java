// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whoever was let in and is put out while they wait gets nothing and changes nothing. */
class RevocationTest {
  private static final String PATH = "/v1/main/records/note/n";
  private static final String LOCKS = "/v1/main/locks";
  private final Served served = new Served();

  @AfterEach
  void close() {
    served.close();
  }

  private CompletableFuture<Served.Answer> asks(
      String token, String method, String path, String body, String... headers) {
    List<String> all = new java.util.ArrayList<>(List.of("Authorization", "Bearer " + token));
    all.addAll(List.of(headers));
    return CompletableFuture.supplyAsync(
        () -> served.json(method, path, body, all.toArray(String[]::new)),
        Thread::startVirtualThread);
  }

  private void takeAway(String account) {
    assertThat(served.json("DELETE", "/v1/cluster/accounts/" + account, "").status())
        .isEqualTo(200);
  }

  @Test
  void aWriterWhoWaitedForAThawWritesNothing() throws Exception {
    served.json("PUT", PATH, "{\"v\":0}");
    String token = served.account("ann", "writer@main");
    served.json("POST", "/v1/main/freezes", "{\"reason\":\"a move\",\"meanwhile\":\"wait\"}");
    CompletableFuture<Served.Answer> writer = asks(token, "PUT", PATH, "{\"v\":1}");
    Served.eventually(() -> served.get("/v1/main/freezes").body().contains("\"waiting\":1"));
    takeAway("ann");
    served.json("DELETE", "/v1/main/freezes", "{}");
    assertThat(writer.join().status()).isEqualTo(401);
    assertThat(writer.join().body()).contains("taken away while you waited");
    assertThat(served.get(PATH).body()).contains("{\"v\":0}");
  }

  @Test
  void aWriterWhoLostOneGrantMeanwhileWritesNothingEither() throws Exception {
    String token = served.account("ann", "writer@main", "reader@other");
    served.json("POST", "/v1/main/freezes", "{\"reason\":\"a move\",\"meanwhile\":\"wait\"}");
    CompletableFuture<Served.Answer> writer = asks(token, "PUT", PATH, "{\"v\":1}");
    Served.eventually(() -> served.get("/v1/main/freezes").body().contains("\"waiting\":1"));
    served.json("PUT", "/v1/cluster/accounts/ann", "{\"grants\":[\"reader@other\"]}");
    served.json("DELETE", "/v1/main/freezes", "{}");
    assertThat(writer.join().status()).isEqualTo(401);
    assertThat(served.get(PATH).status()).isEqualTo(404);
  }

  @Test
  void aReaderWhoWaitedForChangesIsToldNone() throws Exception {
    String token = served.account("ann", "reader@main");
    CompletableFuture<Served.Answer> reader = asks(token, "GET", "/v1/main/changes?wait=30s", "");
    Thread.sleep(1_200);
    takeAway("ann");
    served.json("PUT", PATH, "{\"v\":1}");
    assertThat(reader.join().status()).isEqualTo(401);
    assertThat(reader.join().body()).doesNotContain("\"note\"");
  }

  @Test
  void aStreamEnds() {
    String token = served.account("ann", "reader@main");
    CompletableFuture<Served.Answer> stream =
        asks(token, "GET", "/v1/main/changes", "", "Accept", "text/event-stream");
    served.json("PUT", PATH, "{\"v\":1}");
    takeAway("ann");
    assertThat(stream.join().status()).isEqualTo(200);
  }

  @Test
  void whoWaitedForALockDoesNotHoldIt() throws Exception {
    String token = served.account("ann", "writer@main");
    String lock = "{\"lock\":\"l\"%s}";
    Served.Answer held = served.json("POST", LOCKS, lock.formatted(""));
    assertThat(held.status()).isEqualTo(200);
    CompletableFuture<Served.Answer> waiting =
        asks(token, "POST", LOCKS, lock.formatted(",\"wait\":\"30s\""));
    Served.eventually(() -> served.get(LOCKS).body().contains("ann"));
    takeAway("ann");
    assertThat(served.json("DELETE", LOCKS + "/l", "{}").status()).isEqualTo(200);
    assertThat(waiting.join().status()).isEqualTo(401);
    assertThat(served.json("POST", LOCKS, lock.formatted("")).status()).isEqualTo(200);
  }

  @Test
  void whatTakesLongToSendStopsInTheMiddle() throws IOException {
    AtomicLong nanos = new AtomicLong();
    AtomicBoolean allowed = new AtomicBoolean(true);
    ByteArrayOutputStream sent = new ByteArrayOutputStream();
    GuardedStream stream = new GuardedStream(sent, allowed::get, nanos::get);
    stream.write(new byte[10]);
    nanos.addAndGet(3_000_000_000L);
    stream.write(new byte[10]);
    allowed.set(false);
    nanos.addAndGet(1_000_000_000L);
    stream.write(1);
    nanos.addAndGet(3_000_000_000L);
    assertThatThrownBy(() -> stream.write(new byte[10])).isInstanceOf(IOException.class);
    assertThat(sent.size()).isEqualTo(21);
  }
}
