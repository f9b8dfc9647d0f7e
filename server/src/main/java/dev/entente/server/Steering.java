// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.cluster.Authority.Place;
import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.PercentText;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.Review;
import dev.entente.engine.Sender;
import dev.entente.engine.WriteRequest;
import dev.entente.server.Problem.Code;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Has a request answered where the type of its record may be answered: here, or by the node that
 * accepts for all. A client may therefore ask any node. Thread-safe.
 */
final class Steering {
  /** Says that a node sends a request on, and how often that has happened. */
  static final String FORWARDED = "Entente-Forwarded";

  /** Marks what may be out of date, since this node cannot ask those who would know. */
  static final String STALE = "Entente-Stale";

  private static final int UNAUTHORIZED = 401;

  /** One hop to a voter, and one to the node that leads. */
  private static final int HOPS_MAX = 2;

  private static final String RECORD = "/v1/{tenant}/records/{type}/{id}";
  private static final String REVIEW = "/v1/{tenant}/reviews/{review}/";

  /** What besides records and reviews is sent on between nodes. */
  private static final Set<String> ALSO =
      Set.of(
          "POST /v1/{tenant}/sync", "POST /v1/{tenant}/batch", "PUT /v1/{tenant}/policies/{type}");

  private static final List<String> TO =
      List.of(
          "accept",
          "content-type",
          "if-match",
          "if-none-match",
          "entente-context",
          "entente-fence",
          "entente-author",
          "entente-reason",
          "entente-session",
          "idempotency-key");

  /** The media types of all that is answered to such requests: JSON. */
  private static final Set<String> ANSWERS =
      Set.of("application/json", "application/problem+json", "application/x-ndjson");

  private static final List<String> BACK =
      List.of("Content-Type", "ETag", "Retry-After", Sessions.HEADER, STALE);

  private final Node node;
  private final Authority authority;
  private final Function<Call, Optional<String>> credential;
  private volatile @Nullable HttpTransport transport;

  Steering(Node node, Authority authority, Function<Call, Optional<String>> credential) {
    this.credential = credential;
    this.node = node;
    this.authority = authority;
  }

  /** From here on there are other nodes. */
  void join(HttpTransport way) {
    transport = way;
  }

  /** Answers here, or has another node answer. */
  Reply steer(Route route, List<String> path, Call call, Supplier<Reply> here) {
    Optional<RecordKey> key = record(route, call);
    if (transport == null || key.isEmpty()) {
      return here.get();
    }
    Policy policy = node.policy(key.get().tenant(), key.get().type());
    boolean read = call.method().equals("GET");
    boolean fenced = !read && call.header(Writes.FENCE).isPresent();
    if (authority.place(policy, fenced) instanceof Place.There there
        && (!read || authority.group().isEmpty())) {
      return forward(there, call, path, call.body());
    }
    if (!read) {
      return here.get();
    }
    return Writes.await(() -> authority.awaitFresh(key.get())) ? here.get() : stale(here);
  }

  /** What may be out of date is marked so, also that there is nothing. */
  private static Reply stale(Supplier<Reply> here) {
    Reply reply;
    try {
      reply = here.get();
    } catch (Problem problem) {
      reply = Reply.problem(problem);
    }
    return reply.with(STALE, "true");
  }

  /** Whether requests of this kind are sent on; those of another kind are taken from no node. */
  static boolean isSentOn(Route route) {
    return route.pattern().startsWith(RECORD)
        || (route.pattern().startsWith(REVIEW) && route.method().equals("POST"))
        || ALSO.contains(route.method() + " " + route.pattern());
  }

  /** The record that a request is about, as far as its type matters. */
  private Optional<RecordKey> record(Route route, Call call) {
    if (route.pattern().startsWith(RECORD)) {
      return Optional.of(call.key());
    }
    return route.pattern().startsWith(REVIEW) && call.method().equals("POST")
        ? node.review(call.tenant(), call.name("review")).map(Review::key)
        : Optional.empty();
  }

  /** Where a write is accepted, if by another node. */
  Optional<Place.There> elsewhere(WriteRequest request) {
    return transport != null && authority.place(request) instanceof Place.There there
        ? Optional.of(there)
        : Optional.empty();
  }

  /**
   * Has another node answer.
   *
   * @param segments the path as it was asked for; each segment is encoded here, and only here
   */
  Reply forward(Place.There there, Call call, List<String> segments, byte[] body) {
    HttpTransport way = transport;
    int hops = hops(call) + 1;
    if (way == null || hops > HOPS_MAX) {
      throw new Problem(
          Code.UNAVAILABLE, "who accepts such records has just changed; try again in a second");
    }
    Map<String, String> headers = new TreeMap<>();
    TO.forEach(name -> call.header(name).ifPresent(value -> headers.put(name, value)));
    headers.put(FORWARDED, String.valueOf(hops));
    headers.put(HttpTransport.NODE, node.id().value());
    credential.apply(call).ifPresent(token -> headers.put(HttpTransport.RELAYED, token));
    String path = path(segments, call.query());
    return Tracing.call(
        "forward", there.node(), () -> forward(way, there, call, path, headers, body));
  }

  /**
   * Refuses an answer that no node gives to a request that is sent on: this node would give it to
   * the client as its own, and a browser would take a page or a script for one of the dashboard.
   */
  private void requireAnswer(Place.There there, HttpTransport.Forwarded answer) {
    String type =
        answer.headers().entrySet().stream()
            .filter(header -> header.getKey().equalsIgnoreCase("content-type"))
            .map(header -> header.getValue().getFirst())
            .findFirst()
            .orElse("");
    boolean isEmpty = type.isEmpty() && answer.body().length == 0;
    if (answer.status() < 200 || answer.status() > 599 || !(ANSWERS.contains(type) || isEmpty)) {
      String what = "answers a request that was sent on with status " + answer.status();
      var _ = node.noteFault(new Sender(there.node(), there.url()), what + " and '" + type + "'");
      throw new Problem(
          Code.UNAVAILABLE,
          "the node " + there.node() + " " + what + " as no node does; it may have accepted this",
          Writes.UNKNOWN);
    }
  }

  private Reply forward(
      HttpTransport way,
      Place.There there,
      Call call,
      String path,
      Map<String, String> headers,
      byte[] body) {
    Tracing.carry(headers);
    try {
      HttpTransport.Forwarded answer = way.forward(there.url(), call.method(), path, headers, body);
      if (answer.status() == UNAUTHORIZED) {
        throw new Problem(
            Code.UNAVAILABLE,
            "the node "
                + there.node()
                + ", which accepts such records, does not know your token: an account reaches it"
                + " within seconds, an administrator's token only where both nodes were started"
                + " with the same");
      }
      requireAnswer(there, answer);
      Reply reply = new Reply(answer.status(), Map.of(), answer.body(), Optional.empty());
      for (String name : BACK) {
        for (var header : answer.headers().entrySet()) {
          if (header.getKey().equalsIgnoreCase(name)) {
            reply = reply.with(name, header.getValue().getFirst());
          }
        }
      }
      return reply;
    } catch (IOException e) {
      throw new Problem(
          Code.UNAVAILABLE,
          "the node "
              + there.node()
              + ", which accepts such records, does not answer ("
              + e.getMessage()
              + "); it may have accepted this: send it again with the same Idempotency-Key",
          Writes.UNKNOWN);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Code.UNAVAILABLE, "the node is stopping");
    }
  }

  private static int hops(Call call) {
    return call.header(FORWARDED).filter("1"::equals).isPresent()
        ? 1
        : call.header(FORWARDED).isPresent() ? HOPS_MAX : 0;
  }

  private static String path(List<String> segments, Map<String, String> query) {
    StringBuilder path = new StringBuilder();
    segments.forEach(segment -> path.append('/').append(PercentText.encode(segment)));
    char before = '?';
    for (Map.Entry<String, String> parameter : query.entrySet()) {
      path.append(before)
          .append(PercentText.encode(parameter.getKey()))
          .append('=')
          .append(PercentText.encode(parameter.getValue()));
      before = '&';
    }
    return path.toString();
  }
}
