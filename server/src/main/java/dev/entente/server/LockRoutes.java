// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Locks;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Grant;
import dev.entente.server.access.Permission;
import dev.entente.server.access.Scope;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Locks with leases for what must not be done by two at a time; see {@link Locks}. */
final class LockRoutes {
  private static final String LOCKS = "/v1/{tenant}/locks";
  private static final Pattern DURATION = Pattern.compile("([0-9]{1,6})(ms|s|m)");
  private static final long LEASE_DEFAULT = 30_000;
  private static final long LEASE_MIN = 1_000;

  private final Authority authority;
  private final Function<Call, Optional<String>> credential;

  /** Who waits in line, counted as streams are. */
  private final Streams waiting = new Streams(Limits.STREAMS_MAX);

  LockRoutes(Authority authority, Function<Call, Optional<String>> credential) {
    this.authority = authority;
    this.credential = credential;
  }

  void addTo(Route.Table routes) {
    routes
        .get(Permission.READ, LOCKS, this::list)
        .post(Permission.WRITE, LOCKS, this::acquire)
        .put(Permission.WRITE, LOCKS + "/{lock}", this::renew)
        .delete(Permission.WRITE, LOCKS + "/{lock}", this::release);
  }

  private static Locks.Name name(Call call, String lock) {
    return new Locks.Name(call.tenant(), Call.checkedName("lock", lock));
  }

  private static String owner(Call call, JsonObject body) {
    return owner(call, Call.text(body, "owner"));
  }

  /** Under whose name a lock is held. */
  private static String owner(Call call, Optional<String> named) {
    String actor = call.acting(Permission.WRITE);
    return named.isEmpty()
        ? actor
        : call.acting(
            Permission.WRITE,
            Scope.of(call.tenant(), Grant.ALL),
            Call.checkedName("owner", named.get()));
  }

  private static long millis(JsonObject body, String member, long fallback, long min, long max) {
    Optional<String> text = Call.text(body, member);
    if (text.isEmpty()) {
      return fallback;
    }
    Matcher parts = DURATION.matcher(text.get());
    long unit =
        parts.matches()
            ? switch (parts.group(2)) {
              case "ms" -> 1;
              case "s" -> 1_000;
              default -> 60_000;
            }
            : 0;
    long millis = unit == 0 ? -1 : Long.parseLong(parts.group(1)) * unit;
    if (millis < min || millis > max) {
      throw new Problem(
          Code.INVALID,
          member + " is a duration such as 30s, from " + min + "ms to " + max / 1_000 + "s");
    }
    return millis;
  }

  private Locks.Answer ask(Call call, Locks.Command command) {
    return Writes.await(() -> authority.lock(command, credential.apply(call)));
  }

  private Reply acquire(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a lock", Set.of("lock", "owner", "lease", "wait"));
    Locks.Name name =
        name(
            call,
            Call.text(body, "lock")
                .orElseThrow(() -> new Problem(Code.INVALID, "\"lock\" names what to lock")));
    String owner = owner(call, body);
    long lease = millis(body, "lease", LEASE_DEFAULT, LEASE_MIN, Locks.LEASE_MILLIS_MAX);
    long wait = millis(body, "wait", 0, 0, Locks.WAIT_MILLIS_MAX);
    Locks.Command.Acquire asked = new Locks.Command.Acquire(name, owner, lease, wait);
    return wait == 0
        ? answered(name, ask(call, asked))
        : waiting.within(call.tenant(), call.caller().name(), () -> inLine(call, asked));
  }

  private Reply inLine(Call call, Locks.Command.Acquire asked) {
    Locks.Name name = asked.name();
    String owner = asked.owner();
    Locks.Answer answer = ask(call, asked);
    if (answer instanceof Locks.Answer.Queued) {
      Optional<Locks.Grant> granted = await(name, owner, asked.waitMillis());
      if (granted.isPresent() && !call.holds()) {
        ask(call, new Locks.Command.Release(name, owner));
      }
      call.requireStill();
      if (granted.isPresent()) {
        return Reply.json(200, held(name, granted.get()));
      }
    }
    return answered(name, answer);
  }

  private Optional<Locks.Grant> await(Locks.Name name, String owner, long wait) {
    try {
      return authority.awaitLock(name, owner, wait);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Code.UNAVAILABLE, "the node is stopping");
    }
  }

  private Reply answered(Locks.Name name, Locks.Answer answer) {
    return switch (answer) {
      case Locks.Answer.Granted(Locks.Grant grant) -> Reply.json(200, held(name, grant));
      case Locks.Answer.Queued(int ahead, Locks.Grant holder) ->
          throw new Problem(
              Code.CONFLICT,
              name.lock()
                  + " is held by "
                  + holder.owner()
                  + (ahead > 0 ? ", and " + ahead + " more wait" : "")
                  + "; ask with \"wait\": \"30s\" to wait in line",
              Map.of("holder", held(name, holder), "ahead", Json.of(ahead)));
      case Locks.Answer.Deadlock(List<String> circle) ->
          throw new Problem(
              Code.CONFLICT,
              "waiting would never end: "
                  + String.join(" waits for ", circle)
                  + " waits for "
                  + circle.getFirst()
                  + "; release what "
                  + circle.getFirst()
                  + " holds and begin again",
              Map.of(
                  "deadlock", Json.of(circle.stream().map(Json::of).toList()),
                  "victim", Json.of(circle.getFirst())));
      case Locks.Answer.Lost() ->
          throw new Problem(
              Code.STALE,
              name.lock()
                  + " is not held under this token any more; what was done under it since may"
                  + " meet the work of another");
      case Locks.Answer.Full(String why) -> throw new Problem(Code.TOO_FAST, why);
      case Locks.Answer.Released(boolean held) -> {
        if (!held) {
          throw new Problem(Code.NOT_FOUND, name.lock() + " was not held by this owner");
        }
        yield Reply.json(200, JsonObject.of("released", Json.of(name.lock())));
      }
      case Locks.Answer.Ticked() -> throw new IllegalStateException("nobody asked for that");
    };
  }

  private Reply renew(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a renewal", Set.of("token"));
    if (!(body.get("token") instanceof JsonNumber token) || !token.isLong()) {
      throw new Problem(Code.INVALID, "\"token\" is the number that the lock was given with");
    }
    Locks.Name name = name(call, call.param("lock"));
    return answered(name, ask(call, new Locks.Command.Renew(name, token.longValue())));
  }

  private Reply release(Call call) {
    Locks.Name name = name(call, call.param("lock"));
    String owner = owner(call, call.query("owner"));
    return answered(name, ask(call, new Locks.Command.Release(name, owner)));
  }

  private Reply list(Call call) {
    List<Json> locks = new ArrayList<>();
    for (Locks.Lock lock : authority.locks(call.tenant())) {
      JsonObject described =
          lock.holder().map(grant -> held(lock.name(), grant)).orElse(JsonObject.EMPTY);
      locks.add(
          described.with(
              "waiting",
              Json.of(lock.queue().stream().map(waiting -> Json.of(waiting.owner())).toList())));
    }
    return Reply.json(200, JsonObject.of("locks", Json.of(locks)));
  }

  private JsonObject held(Locks.Name name, Locks.Grant grant) {
    Map<String, Json> members = new TreeMap<>();
    members.put("lock", Json.of(name.lock()));
    members.put("owner", Json.of(grant.owner()));
    members.put("token", Json.of(grant.token()));
    members.put("leaseMillis", Json.of(grant.leaseMillis()));
    members.put("until", Json.of(Instant.ofEpochMilli(authority.endsAtMillis(grant)).toString()));
    return JsonObject.of(members);
  }
}
