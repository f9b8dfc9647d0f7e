// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import dev.entente.core.codec.JsonCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.Registry;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Tells those who asked of what happens: at least once, in order for each, tried again ever more
 * slowly, and kept aside when all tries have failed. Webhooks are records and so known to every
 * node, each of which tells of what it sees itself. Thread-safe.
 *
 * <p>Each message is signed: {@code Entente-Signature: t=SECONDS,v1=HEX}, the HMAC-SHA256 of {@code
 * SECONDS.BODY} under the webhook's secret.
 */
public final class Webhooks {
  private static final Logger LOG = System.getLogger(Webhooks.class.getName());
  private static final String TYPE = Registry.WEBHOOK;
  private static final String KEPT = "deliveries";
  private static final int HOOKS_MAX = 100;
  private static final int QUEUE_MAX = 10_000;
  private static final int DEAD_MAX = 1_000;
  private static final int SECRET_BYTES = 24;

  /** How long after each failure the next try comes; after the last there is none. */
  static final List<Long> PAUSES_MILLIS =
      List.of(1_000L, 5_000L, 30_000L, 120_000L, 600_000L, 3_600_000L, 21_600_000L);

  private final Node node;
  private final Sender sender;
  private final SecureRandom random = new SecureRandom();
  private final Deque<Delivery> queue = new ArrayDeque<>();
  private final Deque<Delivery> dead = new ArrayDeque<>();
  private final Set<String> busy = new HashSet<>();

  /** As of the last look: what tells must be quick, and does not read records. */
  private volatile List<Webhook> hooks;

  private long dropped;
  private boolean changed;

  /** Carries a message to where a webhook says. */
  @FunctionalInterface
  public interface Sender {
    /**
     * @throws IOException where nobody took it, and why
     */
    void send(URI url, Map<String, String> headers, String body) throws IOException;
  }

  public Webhooks(Node node, Sender sender) {
    this.node = node;
    this.sender = sender;
    this.hooks = list();
    node.kept(KEPT)
        .map(JsonCodec::fromBytes)
        .ifPresent(kept -> {
          all(kept, "queue").forEach(one -> queue.add(Delivery.ofKept(one)));
          all(kept, "dead").forEach(one -> dead.add(Delivery.ofKept(one)));
        });
  }

  private static List<Json> all(Json kept, String name) {
    return kept instanceof JsonObject object && object.get(name) instanceof JsonArray(var items)
        ? items
        : List.of();
  }

  private static RecordKey key(String name) {
    return new RecordKey(Registry.TENANT, TYPE, name);
  }

  /** A webhook by its name. */
  public Optional<Webhook> get(String name) {
    return node.read(key(name)).view().data() instanceof JsonObject data
        ? Optional.of(webhook(name, data))
        : Optional.empty();
  }

  private static Webhook webhook(String name, JsonObject data) {
    Set<String> events = new HashSet<>();
    all(data, "events").forEach(event -> events.add(text(event)));
    return new Webhook(
        name,
        URI.create(text(data.get("url"))),
        text(data.get("secret")),
        events,
        text(data.get("tenant")));
  }

  private static String text(Json json) {
    return json instanceof JsonString(String text) ? text : "";
  }

  /** All webhooks, by name. */
  public List<Webhook> list() {
    List<Webhook> hooks = new ArrayList<>();
    for (RecordKey key : node.records(Registry.TENANT, TYPE, Optional.empty(), HOOKS_MAX)) {
      get(key.id()).ifPresent(hooks::add);
    }
    return hooks;
  }

  /** Makes a webhook, or changes where it goes; its secret stays if it has one. */
  public Webhook put(String name, URI url, Set<String> events, String tenant, String by) {
    Optional<Webhook> before = get(name);
    if (before.isEmpty() && list().size() >= HOOKS_MAX) {
      throw new IllegalArgumentException("there are " + HOOKS_MAX + " webhooks already");
    }
    Webhook hook =
        new Webhook(name, url, before.map(Webhook::secret).orElseGet(this::secret), events, tenant);
    JsonObject data =
        JsonObject.of(
            Map.of(
                "url", Json.of(url.toString()),
                "secret", Json.of(hook.secret()),
                "events", Json.of(hook.events().stream().map(Json::of).toList()),
                "tenant", Json.of(tenant)));
    write(name, new Edit.Put(data), by);
    return hook;
  }

  private String secret() {
    byte[] drawn = new byte[SECRET_BYTES];
    random.nextBytes(drawn);
    return "whsec_" + HexFormat.of().formatHex(drawn);
  }

  /** Ends a webhook, with what was still to be told; whether there was one. */
  public boolean remove(String name, String by) {
    if (get(name).isEmpty()) {
      return false;
    }
    write(name, new Edit.Delete(), by);
    synchronized (this) {
      queue.removeIf(delivery -> delivery.hook().equals(name));
      dead.removeIf(delivery -> delivery.hook().equals(name));
      changed = true;
    }
    return true;
  }

  private void write(String name, Edit edit, String by) {
    node.write(WriteRequest.of(key(name), edit, new Seen.Everything(), by)).join();
    hooks = list();
  }

  /** Tells all who want to hear of this. */
  public void tell(String event, String tenant, JsonObject what) {
    for (Webhook hook : hooks) {
      if (hook.wants(event, tenant)) {
        tell(hook, event, what);
      }
    }
  }

  /** Tells one of this, whether they want to hear it or not. */
  public void tell(Webhook hook, String event, JsonObject what) {
    long now = node.nowMillis();
    String id = Long.toHexString(now) + Long.toHexString(ThreadLocalRandom.current().nextLong());
    Map<String, Json> members = new TreeMap<>();
    members.put("id", Json.of(id));
    members.put("event", Json.of(event));
    members.put("at", Json.of(Instant.ofEpochMilli(now).toString()));
    members.put("node", Json.of(node.id().value()));
    members.put("what", what);
    Delivery delivery =
        new Delivery(id, hook.name(), event, JsonObject.of(members).toString(), now, 0, now, "");
    synchronized (this) {
      if (queue.size() >= QUEUE_MAX) {
        dropped++;
      } else {
        queue.addLast(delivery);
        changed = true;
      }
    }
  }

  /** Tries what is due, each webhook on a thread of its own; and keeps what changed. */
  public void look() {
    hooks = list(); // Other nodes make them too.
    long now = node.nowMillis();
    Map<String, Delivery> first = new TreeMap<>();
    synchronized (this) {
      // The first of each is tried before the others, so that order is kept.
      queue.forEach(delivery -> first.putIfAbsent(delivery.hook(), delivery));
      first.values().removeIf(d -> d.nextMillis() > now || !busy.add(d.hook()));
    }
    first
        .values()
        .forEach(
            delivery -> Thread.ofVirtual().name("entente-webhook").start(() -> attempt(delivery)));
    keep();
  }

  private void attempt(Delivery delivery) {
    Optional<Delivery> next = Optional.of(delivery);
    try {
      while (next.isPresent()) {
        next = tried(next.get());
      }
    } catch (RuntimeException e) {
      LOG.log(Level.WARNING, "a webhook could not be told", e);
    } finally {
      synchronized (this) {
        busy.remove(delivery.hook());
      }
    }
  }

  /** Tries one; gives the next of the same webhook where it was taken. */
  private Optional<Delivery> tried(Delivery delivery) {
    Optional<Webhook> hook = get(delivery.hook());
    if (hook.isEmpty()) {
      done(delivery);
      return Optional.empty();
    }
    try {
      sender.send(hook.get().url(), headers(hook.get(), delivery), delivery.body());
      return done(delivery);
    } catch (IOException e) {
      failed(delivery, String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private Map<String, String> headers(Webhook hook, Delivery delivery) {
    long seconds = node.nowMillis() / 1_000;
    return Map.of(
        "Entente-Event", delivery.event(),
        "Entente-Delivery", delivery.id(),
        "Entente-Signature",
            "t=" + seconds + ",v1=" + signature(hook.secret(), seconds + "." + delivery.body()));
  }

  static String signature(String secret, String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
      return HexFormat.of().formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has HmacSHA256", e);
    }
  }

  private synchronized Optional<Delivery> done(Delivery delivery) {
    queue.removeIf(queued -> queued.id().equals(delivery.id()));
    changed = true;
    return queue.stream()
        .filter(queued -> queued.hook().equals(delivery.hook()))
        .findFirst()
        .filter(queued -> queued.nextMillis() <= node.nowMillis());
  }

  private synchronized void failed(Delivery delivery, String why) {
    List<Delivery> rest = new ArrayList<>(queue);
    queue.clear();
    changed = true;
    for (Delivery queued : rest) {
      if (!queued.id().equals(delivery.id())) {
        queue.addLast(queued);
      } else if (delivery.attempts() < PAUSES_MILLIS.size()) {
        queue.addLast(
            delivery.failed(why, node.nowMillis() + PAUSES_MILLIS.get(delivery.attempts())));
      } else {
        dead.addLast(delivery.failed(why, 0));
        if (dead.size() > DEAD_MAX) {
          dead.removeFirst();
          dropped++;
        }
      }
    }
  }

  private void keep() {
    byte[] kept;
    synchronized (this) {
      if (!changed) {
        return;
      }
      changed = false;
      kept =
          JsonCodec.toBytes(
              JsonObject.of(
                  Map.of(
                      "queue", Json.of(queue.stream().map(Delivery::kept).toList()),
                      "dead", Json.of(dead.stream().map(Delivery::kept).toList()))));
    }
    node.keep(KEPT, kept).join();
  }

  /** What is still to be told to a webhook. */
  public synchronized List<Delivery> waiting(String name) {
    return queue.stream().filter(delivery -> delivery.hook().equals(name)).toList();
  }

  /** What could not be told to a webhook, though it was tried again and again. */
  public synchronized List<Delivery> dead(String name) {
    return dead.stream().filter(delivery -> delivery.hook().equals(name)).toList();
  }

  /** Tries again what could not be told; how many there are. */
  public synchronized int again(String name) {
    List<Delivery> mine = dead(name);
    dead.removeIf(delivery -> delivery.hook().equals(name));
    mine.forEach(delivery -> queue.addLast(delivery.again(node.nowMillis())));
    changed = true;
    return mine.size();
  }

  /** How many messages there was no room for. */
  public synchronized long dropped() {
    return dropped;
  }
}
