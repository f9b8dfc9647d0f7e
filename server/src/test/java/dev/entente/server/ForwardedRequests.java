// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.PercentText;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Whoever bears a hostile name, and what was made under it so far; the routes are taken in the
 * order of {@link #SENDERS}, so that what one makes is there for the next.
 */
final class ForwardedRequests {
  private static final String RECORD = "/v1/{tenant}/records/{type}/{id}";
  private static final String REVIEW = "/v1/{tenant}/reviews/{review}";

  /** How names are sent through each forwarded route. A new such route needs its line. */
  static final Map<String, Sender> SENDERS = new LinkedHashMap<>();

  static {
    SENDERS.put("PUT " + RECORD, ForwardedRequests::put);
    SENDERS.put("PATCH " + RECORD, ForwardedRequests::patch);
    SENDERS.put("GET " + RECORD, ForwardedRequests::readIt);
    SENDERS.put("GET " + RECORD + "/history", ForwardedRequests::history);
    SENDERS.put("GET " + RECORD + "/positions", ForwardedRequests::positions);
    SENDERS.put("GET " + RECORD + "/fate", ForwardedRequests::fate);
    SENDERS.put("POST " + RECORD + "/appeals", ForwardedRequests::appeal);
    SENDERS.put("POST " + RECORD + "/rollback", ForwardedRequests::rollback);
    SENDERS.put("POST " + RECORD + "/rebuild", ForwardedRequests::rebuild);
    SENDERS.put("POST /v1/{tenant}/sync", ForwardedRequests::sync);
    SENDERS.put("POST /v1/{tenant}/batch", ForwardedRequests::batch);
    SENDERS.put("DELETE " + RECORD, ForwardedRequests::delete);
    SENDERS.put("POST " + REVIEW + "/notes", ForwardedRequests::note);
    SENDERS.put("POST " + REVIEW + "/assign", ForwardedRequests::assign);
    SENDERS.put("POST " + REVIEW + "/decision", ForwardedRequests::decide);
    SENDERS.put("POST " + REVIEW + "/reopen", ForwardedRequests::reopen);
    SENDERS.put("POST " + REVIEW + "/vote", ForwardedRequests::vote);
    SENDERS.put("GET " + RECORD + "/export", ForwardedRequests::export);
    SENDERS.put("POST " + RECORD + "/erasure", ForwardedRequests::erase);
    SENDERS.put("GET " + RECORD + "/erasure", ForwardedRequests::readErasure);
    SENDERS.put("PUT /v1/{tenant}/policies/{type}", ForwardedRequests::putPolicy);
  }

  private final List<Served> nodes;
  private final Served asked;
  private final String name;
  private final String token;
  private final String delegate;
  private final String record;
  private String context = "";
  private String number = "";
  private String review = "";

  ForwardedRequests(List<Served> nodes, String name, String token, String delegate) {
    this.nodes = nodes;
    this.asked = nodes.getLast();
    this.name = name;
    this.token = token;
    this.delegate = delegate;
    this.record = path("main", "records", "contract", name);
  }

  /** Sends with the credential that bears the name. */
  Served.Answer self(String method, String path, Json body, String... headers) {
    return accepted(as(asked, token, method, path, body, headers));
  }

  /** Sends with another credential, which names the author. */
  Served.Answer named(String method, String path, Json body, String... headers) {
    List<String> more = new ArrayList<>(List.of(headers));
    more.addAll(List.of("Entente-Author", name));
    return accepted(as(asked, delegate, method, path, body, more.toArray(String[]::new)));
  }

  Served.Answer read(String path) {
    return accepted(as(asked, token, "GET", path, Json.of(1)));
  }

  private Served.Answer accepted(Served.Answer answer) {
    assertThat(answer.status()).as("%s: %s", name, answer.body()).isLessThan(300);
    return answer;
  }

  /** What the newest version of a record says, at the node that answers. */
  private void newestSays(String member, String path) {
    assertThat(members(read(path + "/history").body(), member).getFirst()).isEqualTo(name);
  }

  private void says(Served.Answer answer, String member) {
    assertThat(answer.body()).contains(Json.of(member) + ":" + Json.of(name));
  }

  /** The node that answered has recorded who did it. */
  private void isAudited(String action) {
    assertThat(nodes)
        .anyMatch(at ->
            !at.node
                .audit(
                    entry -> entry.action().equals(action) && entry.actor().equals(name),
                    Long.MAX_VALUE,
                    1)
                .isEmpty());
  }

  void put() {
    Json document = parsed("{'v':1,'body':'text'}");
    context = self("PUT", record, document, "Entente-Reason", name).text("context");
    newestSays("author", record);
    newestSays("reason", record);
    named("PUT", record, parsed("{'v':2,'body':'text'}"));
    newestSays("author", record);
  }

  void patch() {
    for (String kind : List.of("merge-patch", "json-patch", "vnd.entente.ops")) {
      Json change =
          switch (kind) {
            case "merge-patch" -> JsonObject.of("by", Json.of(name));
            case "json-patch" -> parsed("[{'op':'add','path':'/k','value':1}]");
            default -> parsed("{'ops':[{'path':'/phone','set':'+1'}]}");
          };
      named("PATCH", record, change, "Content-Type", "application/" + kind + "+json");
      newestSays("author", record);
    }
  }

  void readIt() {
    says(read(record), "id");
    says(read(record + "?at=" + PercentText.encode(Instant.now().toString())), "id");
  }

  void history() {
    Json newest = ((JsonArray) read(record + "/history").json().get("versions")).items().getFirst();
    assertThat(((JsonObject) newest).get("author")).isEqualTo(Json.of(name));
    number = String.valueOf(((JsonObject) newest).get("number"));
  }

  void positions() {
    String query = "/positions?unit=body&at=1&context=" + PercentText.encode(context);
    assertThat(read(record + query).body()).contains("[1]");
  }

  void fate() {
    String answering = node(read(record + "/history"));
    String query = "/fate?number=" + number + "&node=" + PercentText.encode(answering);
    assertThat(read(record + query).body()).contains("\"fate\":");
    String unknown = record + "/fate?number=1&node=" + PercentText.encode(name);
    assertThat(as(asked, token, "GET", unknown, Json.of(1)).status()).isIn(404, 422);
  }

  /** Asks for the first value back, which was replaced. */
  void appeal() {
    JsonObject first =
        (JsonObject)
            ((JsonArray) read(record + "/history").json().get("versions")).items().getLast();
    JsonObject appeal =
        JsonObject.of("node", first.get("node"))
            .with("number", first.get("number"))
            .with("reason", Json.of(name));
    Served.Answer opened = named("POST", record + "/appeals", appeal);
    assertThat(opened.status()).as(opened.body()).isEqualTo(201);
    isAudited("appeal");
  }

  void rollback() {
    Json back = JsonObject.of("to", Json.of(context)).with("reason", Json.of(name));
    named("POST", record + "/rollback", back);
    newestSays("author", record);
    newestSays("reason", record);
  }

  void rebuild() {
    named("POST", record + "/rebuild", JsonObject.EMPTY);
  }

  private JsonObject write(Json data) {
    return JsonObject.of(Map.of("type", Json.of("contract"), "recordId", Json.of(name)))
        .with("op", Json.of("put"))
        .with("data", data);
  }

  void sync() {
    Json event =
        write(parsed("{'v':3}"))
            .with("id", Json.of(name))
            .with("author", Json.of(name))
            .with("context", Json.of(read(record).text("context")));
    Json sync = JsonObject.of("events", Json.of(List.of(event))).with("device", Json.of(name));
    Served.Answer answer = accepted(as(asked, delegate, "POST", "/v1/main/sync", sync));
    assertThat(answer.json().get("errors")).isEqualTo(JsonArray.EMPTY);
    for (String member : List.of("author", "device", "eventId")) {
      newestSays(member, record);
    }
  }

  void batch() {
    Json batch = JsonObject.of("writes", Json.of(List.of(write(parsed("{'v':4}")))));
    named("POST", "/v1/main/batch", batch);
    newestSays("author", record);
  }

  void delete() {
    Json lock = JsonObject.of("lock", Json.of(name)).with("owner", Json.of(name));
    Served.Answer held = accepted(as(asked, delegate, "POST", "/v1/main/locks", lock));
    assertThat(held.text("owner")).isEqualTo(name);
    String fence = name + "=" + held.json().get("token");
    self("DELETE", record, Json.of(1), "Entente-Fence", fence);
    newestSays("author", record);
    String release = path("main", "locks", name) + "?owner=" + PercentText.encode(name);
    self("DELETE", release, Json.of(1));
    self("PUT", record, parsed("{'v':5}"));
  }

  /** Two that change a value from the same context. */
  private String disputed(String type) throws InterruptedException {
    String path = path("main", "records", type, "disputed " + name);
    String read = named("PUT", path, parsed("{'v':0}")).text("context");
    self("PUT", path, parsed("{'v':1}"), "Entente-Context", read);
    Served.Answer second = named("PUT", path, parsed("{'v':2}"), "Entente-Context", read);
    String open = path("main", "reviews", second.text("conflictId"));
    Served.eventually(() -> asked.get(open).status() == 200);
    return open;
  }

  void note() throws InterruptedException {
    review = disputed("contract");
    says(self("POST", review + "/notes", JsonObject.of("text", Json.of(name))), "by");
    says(named("POST", review + "/notes", JsonObject.of("text", Json.of(name))), "text");
  }

  void assign() {
    JsonObject owner = JsonObject.of("owner", Json.of(name));
    says(named("POST", review + "/assign", owner), "owner");
  }

  void decide() {
    says(named("POST", review + "/decision", parsed("{'ignore':true}")), "decidedBy");
  }

  /** Takes up what was ignored, and decides it. */
  void reopen() {
    named("POST", review + "/reopen", JsonObject.of("reason", Json.of(name)));
    isAudited("reopened");
    Served.Answer decided = self("POST", review + "/decision", parsed("{'choose':1}"));
    assertThat(decided.text("decidedBy")).as(decided.body()).isEqualTo(name);
    newestSays("author", path("main", "records", "contract", "disputed " + name));
  }

  void vote() throws InterruptedException {
    String ballot = disputed("ballot");
    hasVoted(self("POST", ballot + "/vote", parsed("{'choose':1}")));
    hasVoted(named("POST", ballot + "/vote", parsed("{'choose':1}")));
  }

  private void hasVoted(Served.Answer answer) {
    JsonObject vote = (JsonObject) answer.json().get("vote");
    assertThat(vote.get("equivocated")).isEqualTo(JsonArray.EMPTY);
    assertThat(((JsonArray) vote.get("outstanding")).items())
        .hasSize((int) ((JsonNumber) vote.get("of")).longValue() - 1)
        .doesNotContain(Json.of(name));
  }

  void export() {
    assertThat(read(record + "/export").body()).contains("\"author\":" + Json.of(name));
  }

  void erase() {
    JsonObject reason = JsonObject.of("reason", Json.of(name));
    says(named("POST", record + "/erasure", reason), "by");
  }

  void readErasure() {
    says(read(record + "/erasure"), "reason");
  }

  void putPolicy() {
    String type = "of " + name;
    Map<String, String> headers =
        Map.of(
            "Content-Type",
            "application/yaml",
            "Authorization",
            "Bearer " + delegate,
            "Entente-Author",
            PercentText.encode(name));
    byte[] policy = ForwardedNamesTest.agreed(type, "").getBytes(StandardCharsets.UTF_8);
    String path = path("main", "policies", type);
    assertThat(accepted(asked.send("PUT", path, policy, headers)).text("type")).isEqualTo(type);
    isAudited("policy");
  }

  static String path(String... segments) {
    StringBuilder path = new StringBuilder("/v1");
    List.of(segments).forEach(segment -> path.append('/').append(PercentText.encode(segment)));
    return path.toString();
  }

  /** The node that gave the newest version of a history. */
  private static String node(Served.Answer history) {
    return members(history.body(), "node").getFirst();
  }

  /** A way to send a name through a route. */
  interface Sender {
    void send(ForwardedRequests person) throws InterruptedException;
  }

  static Served.Answer as(
      Served at, String token, String method, String path, Json body, String... more) {
    Map<String, String> headers = new HashMap<>();
    headers.put("Authorization", "Bearer " + token);
    headers.put("Content-Type", "application/json");
    for (int i = 0; i < more.length; i += 2) {
      boolean isText = !more[i].equals("Content-Type");
      headers.put(more[i], isText ? PercentText.encode(more[i + 1]) : more[i + 1]);
    }
    return at.send(method, path, body.toString().getBytes(StandardCharsets.UTF_8), headers);
  }

  static Json parsed(String json) {
    return Served.parsed(json.replace('\'', '"'));
  }

  private static List<String> members(String history, String member) {
    List<String> found = new ArrayList<>();
    for (Json version :
        ((JsonArray) ((JsonObject) Served.parsed(history)).get("versions")).items()) {
      if (((JsonObject) version).get(member) instanceof JsonString(String text)) {
        found.add(text);
      }
    }
    return found;
  }
}
