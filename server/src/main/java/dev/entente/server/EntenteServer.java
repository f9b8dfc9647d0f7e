// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Ballots;
import dev.entente.cluster.Cluster;
import dev.entente.cluster.ClusterConfig;
import dev.entente.cluster.ClusterRunner;
import dev.entente.cluster.Healings;
import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.NodeTls;
import dev.entente.cluster.Seats;
import dev.entente.cluster.VersionPatrol;
import dev.entente.cluster.group.AloneConsensus;
import dev.entente.cluster.group.Group;
import dev.entente.cluster.group.VoterCredentials;
import dev.entente.cluster.group.Voters;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.json.Json;
import dev.entente.engine.Node;
import dev.entente.engine.store.StoreException;
import dev.entente.server.Problem.Code;
import dev.entente.server.recovery.Jobs;
import io.helidon.common.tls.Tls;
import io.helidon.common.tls.TlsClientAuth;
import io.helidon.http.DirectHandler;
import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http2.Http2Config;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/** The HTTP server over one node; with what it plugs in, all that knows the web framework. */
public final class EntenteServer implements AutoCloseable {
  private static final Logger LOG = System.getLogger(EntenteServer.class.getName());
  private static final int HEADERS_BYTES_MAX = 16 << 10;
  private static final int PROLOGUE_BYTES_MAX = 8 << 10;

  /** Empty DATA frames in a row; see {@link FrameMend} for frames that carry no request. */
  private static final int EMPTY_FRAMES_MAX = 10;

  /** Streams that one connection may open and reset at once within a period. */
  private static final int RESETS_MAX = 50;

  private static final Duration RESETS_PERIOD = Duration.ofSeconds(10);
  private static final String SECURITY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
          + " base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

  /** How often the node is asked to go on with what is due. */
  private static final Duration TICK = Duration.ofMillis(250);

  /** How often versions are compared with other nodes. */
  private static final Duration COMPARES = Duration.ofSeconds(3);

  /** How often votes that are being held are looked at. */
  private static final Duration VOTES = Duration.ofSeconds(1);

  /** For how long a node asks others what they have before it answers clients; they may be busy. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final String BROKEN = "the body ended early, or is not what its head announced";

  /** They would trace every connection on which something else than HTTP comes; that is counted. */
  private static final List<java.util.logging.Logger> QUIET =
      Stream.of("ConnectionHandler", "http.DirectHandlers", "http1.Http1Connection")
          .map(name -> java.util.logging.Logger.getLogger("io.helidon.webserver." + name))
          .toList();

  static {
    HpackMend.apply();
    FrameMend.apply();
    QUIET.forEach(logger -> logger.setLevel(java.util.logging.Level.SEVERE));
  }

  private final Api api;
  private final WebServer server;
  private final String url;
  private final Chores chores;
  private final Optional<Peers> peers;

  /** What drives the links to other nodes. */
  private record Peers(ClusterRunner runner, HttpTransport transport, Optional<Voting> voting) {}

  private final Jobs jobs;
  private final Tracing tracing;

  private EntenteServer(
      Api api, WebServer server, String url, Chores chores, Optional<Peers> peers) {
    this.api = api;
    this.tracing = api.tracing();
    this.jobs = api.jobs();
    this.server = server;
    this.url = url;
    this.chores = chores;
    this.peers = peers;
  }

  /**
   * Starts to serve.
   *
   * @param host the address to listen on
   * @param port the port, 0 for any free one
   * @param token the administrator's token
   * @throws IOException where the address cannot be listened on
   */
  public static EntenteServer start(Node node, String host, int port, String token)
      throws IOException {
    return start(node, ServerConfig.of(port, token).at(host));
  }

  /**
   * Starts to serve, and to take part in a cluster where one is given.
   *
   * @throws IOException where the address cannot be listened on
   */
  public static EntenteServer start(
      Node node, String host, int port, String token, Optional<Peering> peering)
      throws IOException {
    return start(node, ServerConfig.of(port, token).at(host).with(peering));
  }

  /**
   * Starts to serve as configured.
   *
   * @throws IOException where the address cannot be listened on
   */
  public static EntenteServer start(Node node, ServerConfig config) throws IOException {
    node.demandProofs(config.accessKeys());
    Api api = new Api(node, config);
    Optional<Peering> peering = config.peering();
    Listener listener = config.listener();
    WebServer server = configured(api, listener.host(), listener.port(), config.tls()).start();
    if (!server.isRunning()) {
      throw new IOException(
          "cannot listen on " + listener.host() + ":" + listener.port() + ", another process does");
    }
    Chores chores = new Chores();
    Optional<Peers> peers = Optional.empty();
    if (peering.isPresent()) {
      try {
        peers = Optional.of(join(api, node, peering.get(), url(server, listener), chores));
      } catch (IOException | RuntimeException e) {
        server.stop();
        throw e;
      }
    } else {
      Group alone = new Group(node);
      alone.join(new AloneConsensus(node, alone));
      api.authority().join(alone);
    }
    api.begin(chores);
    Duration every = config.safety().every();
    if (every.isPositive()) {
      config.checkpoints(node).ifPresent(kept -> chores.every(every, "checkpoints", kept::turn));
    }
    chores.every(TICK, "what is due", () -> node.proceed().join());
    chores.every(TICK, "what must be agreed on", api.authority()::tick);
    api.open();
    return new EntenteServer(api, server, url(server, listener), chores, peers);
  }

  /** When this node first joined a cluster. */
  private static long since(Node node) {
    Optional<byte[]> kept = node.kept("member-since");
    if (kept.isPresent()) {
      return new ByteReader(kept.get()).u64();
    }
    long now = node.nowMillis();
    node.keep("member-since", new ByteWriter().u64(now).toBytes()).join();
    return now;
  }

  private static Peers join(Api api, Node node, Peering peering, String listensAt, Chores chores)
      throws IOException {
    String url = peering.url().isEmpty() ? listensAt : peering.url();
    LongSupplier steadyMillis = () -> System.nanoTime() / 1_000_000;
    Cluster cluster =
        new Cluster(node, ClusterConfig.of(url, peering.seeds()).since(since(node)), steadyMillis);
    HttpTransport transport = new HttpTransport(peering.secret(), peering.tls());
    Healings healings = new Healings(node, cluster, transport);
    Ballots ballots = new Ballots(node, cluster, api.authority(), transport, peering.voteKey());
    Seats seats = new Seats(node, cluster, transport, api.authority(), peering.voterNames());
    VersionPatrol patrol = new VersionPatrol(node, cluster, transport);
    api.join(cluster, transport, healings, ballots, seats, peering.voterNames());
    api.watch(patrol);
    ClusterRunner runner = ClusterRunner.start(cluster, transport, steadyMillis);
    Optional<Voting> voting = Optional.empty();
    String self = node.id().name();
    try {
      ask(cluster);
      if (peering.voterNames().contains(self)) {
        Voters voters = Voters.of(self, peering.voters(), peering.directory());
        VoterCredentials credentials = VoterCredentials.of(self, peering.secret(), peering.tls());
        voting = Optional.of(Voting.begin(new RaftSeat(node, seats, voters, credentials)));
      }
    } catch (IOException | RuntimeException e) {
      transport.close();
      runner.close();
      throw e;
    }
    chores.every(TICK, "healings", healings::look);
    chores.every(COMPARES, "versions of other nodes", patrol::turn);
    chores.every(VOTES, "votes", ballots::tick);
    chores.every(VOTES, "who votes", seats::look);
    return new Peers(runner, transport, voting);
  }

  private static void ask(Cluster cluster) throws InterruptedIOException {
    try {
      cluster.askAround(PATIENCE.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while other nodes were asked");
    }
  }

  private static WebServer configured(Api api, String host, int port, Optional<NodeTls> tls) {
    WebServerConfig.Builder builder =
        WebServer.builder()
            .host(host)
            .port(port)
            .maxPayloadSize(Limits.BODY_BYTES_READ_MAX)
            .addProtocol(
                Http1Config.builder()
                    .maxHeadersSize(HEADERS_BYTES_MAX)
                    .maxPrologueLength(PROLOGUE_BYTES_MAX)
                    .build())
            .addProtocol(
                Http2Config.builder()
                    .maxHeaderListSize(HEADERS_BYTES_MAX)
                    .maxEmptyFrames(EMPTY_FRAMES_MAX)
                    .maxRapidResets(RESETS_MAX)
                    .rapidResetCheckPeriod(RESETS_PERIOD)
                    .build())
            .connectionOptions(options ->
                // A head and a body go in two pieces, and the second must not wait for an answer.
                options
                    .readTimeout(Duration.ofSeconds(30))
                    .socketSendBufferSize(1 << 18)
                    .tcpNoDelay(true))
            .idleConnectionTimeout(Duration.ofMinutes(2))
            .shutdownHook(false)
            .directHandlers(problems(api))
            .routing((HttpRouting.Builder routing) ->
                routing.any((request, response) -> handle(api, request, response)));
    WrongScheme wrongScheme = new WrongScheme(api::malformed);
    tls.ifPresentOrElse(
        proof ->
            builder.tls(
                Tls.builder()
                    .sslContext(wrongScheme.httpsOnly(proof.context()))
                    .clientAuth(TlsClientAuth.OPTIONAL)
                    .build()),
        () -> builder.addConnectionSelector(wrongScheme.plainOnly()));
    return builder.build();
  }

  /**
   * What the web framework refuses before any route sees it is a problem like any other. What it
   * takes for an error of its own is none of ours, which {@link #reply} answers, but of the line.
   */
  private static DirectHandlers problems(Api api) {
    DirectHandler handler =
        (_, _, refused, headers, _) -> {
          api.malformed();
          Status status = refused.code() == 500 ? Status.BAD_REQUEST_400 : refused;
          Code code =
              switch (status.code()) {
                case 413, 414, 431 -> Code.TOO_LARGE;
                default -> Code.MALFORMED;
              };
          headers.set(HeaderNames.CONTENT_TYPE, "application/problem+json");
          return DirectHandler.TransportResponse.builder()
              .status(status)
              .headers(headers)
              .keepAlive(false)
              .entity(
                  new Problem(code, "this is not HTTP, or not in a form that this takes")
                      .toJson()
                      .with("status", Json.of(status.code()))
                      .toString())
              .build();
        };
    DirectHandlers.Builder handlers = DirectHandlers.builder();
    for (DirectHandler.EventType type : DirectHandler.EventType.values()) {
      handlers.addHandler(type, handler);
    }
    return handlers.build();
  }

  public int port() {
    return server.port();
  }

  /** The URL of the listener as it is: its scheme, address and port, without a final slash. */
  public String url() {
    return url;
  }

  /** Whether the listener speaks HTTPS. */
  public boolean isEncrypted() {
    return server.hasTls();
  }

  private static String url(WebServer server, Listener listener) {
    String host = listener.host();
    return (server.hasTls() ? "https://" : "http://")
        + (host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host)
        + ":"
        + server.port();
  }

  /**
   * Stops in the order in which one thing uses another: clients and other nodes are refused (503);
   * what runs in the background ends; this node's vote, its links to others, the listener, traces.
   * Whoever began the server closes the node after that, which finishes the writes that it took and
   * then closes the store. A request that still runs then is refused by the store, which is closed
   * only once nobody is within it.
   */
  @Override
  public void close() {
    api.stop();
    jobs.close();
    chores.close();
    peers.ifPresent(links -> {
      links.voting().ifPresent(Voting::close);
      links.transport().close();
      links.runner().close();
    });
    server.stop();
    tracing.close();
  }

  private static void handle(Api api, ServerRequest request, ServerResponse response) {
    InputStream in =
        request.content().hasEntity()
            ? request.content().inputStream()
            : InputStream.nullInputStream();
    Reply reply;
    try {
      reply = reply(api, request, in);
    } catch (UncheckedIOException e) {
      api.malformed();
      send(Reply.problem(new Problem(Code.MALFORMED, BROKEN)), response);
      // Where the next request would begin is not known.
      throw new CloseConnectionException("a body was broken", e);
    }
    send(reply, response);
    if (reply.status() == Code.TOO_LARGE.status()) {
      throwAway(in);
    }
    if (!request.prologue().protocolVersion().startsWith("2")
        && request.headers().containsToken(HeaderValues.CONNECTION_CLOSE)) {
      // Helidon 4.5 says that it closes the connection and does not (helidon-io/helidon#12324).
      throw new CloseConnectionException("the client asked for it");
    }
  }

  private static Reply reply(Api api, ServerRequest request, InputStream in) {
    List<String> path = List.of();
    try {
      path = Requests.segments(request.path().rawPath());
      return api.answer(path, call(request, in));
    } catch (Problem problem) {
      return Reply.problem(problem);
    } catch (UncheckedIOException e) {
      throw e;
    } catch (RuntimeException | VirtualMachineError e) {
      return Api.failed(request.prologue().method().text(), path, e);
    }
  }

  /**
   * Reads on what is too large, up to a bound: a client that is still sending when the connection
   * closes never sees the answer.
   */
  private static void throwAway(InputStream in) {
    byte[] chunk = new byte[64 << 10];
    try {
      long left = Limits.BODY_BYTES_READ_MAX;
      for (int length = 0; length >= 0 && left > 0; left -= length) {
        length = in.read(chunk);
      }
    } catch (IOException | RuntimeException e) {
      LOG.log(Level.DEBUG, "the client went before it had sent all", e);
    }
  }

  private static Call call(ServerRequest request, InputStream in) {
    Map<String, String> headers = new HashMap<>();
    for (Header header : request.headers()) {
      Requests.add(headers, header.name(), header.get(), header.valueCount() > 1);
    }
    return new Call(
        request.prologue().method().text(),
        Map.of(),
        Requests.query(request.query().rawValue()),
        headers,
        Requests.body(headers, request.headers().contentLength().orElse(0), in),
        new Call.Peer(
            Requests.network(request.remotePeer().address()),
            Requests.certified(request.remotePeer().tlsCertificates()),
            request.isSecure()));
  }

  private static void send(Reply reply, ServerResponse response) {
    response.status(Status.create(reply.status()));
    reply.headers().forEach((name, value) -> response.header(HeaderNames.create(name), value));
    response.header(HeaderNames.create("X-Content-Type-Options"), "nosniff");
    response.header(HeaderNames.create("Content-Security-Policy"), SECURITY);
    response.header(HeaderNames.create("Referrer-Policy"), "no-referrer");
    if (reply.stream().isEmpty()) {
      response.send(reply.body());
      return;
    }
    try {
      OutputStream out = response.outputStream();
      reply.stream().get().writeTo(out);
      out.close();
    } catch (IOException | UncheckedIOException | StoreException e) {
      // Whoever still listens must not take a part for the whole.
      throw new CloseConnectionException("an answer ended early", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
