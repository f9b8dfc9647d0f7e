// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.group.NotLeadingException;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.json.JsonProblem;
import dev.entente.engine.json.JsonReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/** Carries requests over HTTP to {@code /v1/cluster/pull}, with the secret that the nodes share. */
public final class HttpTransport implements Transport, AutoCloseable {
  /** Where a node answers others, behind its URL. */
  public static final String PATH = "/v1/cluster/pull";

  /** Where a node tells others whatever else they ask, behind its URL. */
  public static final String BASE = "/v1/cluster/";

  /** The header in which a node says who it is. */
  public static final String NODE = "Entente-Node";

  /** Names the node that leads, in the refusal of one that does not; empty where it knows none. */
  public static final String LEADER = "Entente-Leader";

  /** The client's own token, as in {@code Authorization}, beside the sending node's secret. */
  public static final String RELAYED = "Entente-Relayed-Authorization";

  private static final Logger LOG = System.getLogger(HttpTransport.class.getName());

  /** How much is told of why another node refuses. */
  private static final int DETAIL_MAX = 500;

  private static final Duration CONNECT = Duration.ofSeconds(3);
  private static final Duration GRACE = Duration.ofSeconds(10);

  private final String secret;
  private final Duration patience;
  private final HttpClient client;

  /**
   * A way to other nodes.
   *
   * @param secret what all nodes share
   * @param tls what this node proves who it is with, where lines are encrypted
   */
  public HttpTransport(String secret, Optional<NodeTls> tls) {
    this(secret, tls, GRACE);
  }

  /** As above; an answer of which nothing comes for so long is given up. */
  HttpTransport(String secret, Optional<NodeTls> tls, Duration patience) {
    this.patience = patience;
    this.secret = secret;
    HttpClient.Builder builder =
        HttpClient.newBuilder().connectTimeout(CONNECT).followRedirects(HttpClient.Redirect.NEVER);
    tls.ifPresent(proof -> builder.sslContext(proof.context()));
    this.client = builder.build();
  }

  @Override
  public PullReply pull(String url, PullRequest request) throws IOException, InterruptedException {
    HttpRequest.Builder post =
        to(url, PATH)
            .timeout(Duration.ofMillis(request.waitMillis()).plus(GRACE))
            .header("Content-Type", Wire.MEDIA_TYPE)
            .POST(HttpRequest.BodyPublishers.ofByteArray(Wire.toBytes(request)));
    HttpResponse<InputStream> response = response(url, post);
    try {
      PullReply reply = Wire.reply(body(url, response, Wire.REPLY_BYTES_MAX));
      requireNamed(url, response, reply.shipment().from());
      return reply;
    } catch (DamagedException e) {
      throw new IOException(url + " answers what is no reply: " + e.getMessage(), e);
    }
  }

  @Override
  public byte[] get(String url, NodeId from, String question)
      throws IOException, InterruptedException {
    HttpRequest.Builder get =
        to(url, BASE + question).timeout(GRACE).header(NODE, from.value()).GET();
    return sent(url, get, Wire.REPLY_BYTES_MAX);
  }

  @Override
  public byte[] post(String url, NodeId from, String what, byte[] body, Optional<String> credential)
      throws IOException, InterruptedException {
    HttpRequest.Builder post =
        to(url, BASE + what)
            .timeout(GRACE)
            .header(NODE, from.value())
            .header("Content-Type", Wire.MEDIA_TYPE)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body));
    credential.ifPresent(shown -> post.header(RELAYED, shown));
    return sent(url, post, Wire.REPLY_BYTES_MAX);
  }

  /** Takes what a node sends, as it comes. */
  public interface Taking<T> {
    T take(InputStream in) throws IOException;
  }

  /**
   * Takes all that another node has, for a new one to begin with; see {@link
   * dev.entente.engine.Bootstrap}.
   *
   * @param from who asks
   * @throws IOException where it cannot be had to its end
   */
  public <T> T copy(String url, NodeId from, Taking<T> taking)
      throws IOException, InterruptedException {
    HttpRequest.Builder get =
        to(url, BASE + "copy").timeout(GRACE).header(NODE, from.value()).GET();
    HttpResponse<InputStream> response = response(url, get);
    try (InputStream in = response.body()) {
      if (response.statusCode() != 200) {
        throw new IOException(url + " answers " + response.statusCode() + refusal(response));
      }
      return taking.take(in);
    }
  }

  /**
   * Sends a client's request on to another node, which answers it.
   *
   * @param headers those of the client that matter, and who the client is
   * @throws IOException where no whole answer came; what was asked for may have been done
   */
  public Forwarded forward(
      String url, String method, String path, Map<String, String> headers, byte[] body)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        to(url, path).timeout(GRACE).method(method, HttpRequest.BodyPublishers.ofByteArray(body));
    headers.forEach(request::header);
    HttpResponse<InputStream> response = response(url, request);
    try (InputStream in = response.body()) {
      return new Forwarded(
          response.statusCode(), response.headers().map(), whole(url, in, Wire.REPLY_BYTES_MAX));
    }
  }

  /** What another node answered to a request that was sent on. */
  @SuppressWarnings("ArrayRecordComponent")
  public record Forwarded(int status, Map<String, List<String>> headers, byte[] body) {}

  private HttpRequest.Builder to(String url, String path) throws IOException {
    try {
      return HttpRequest.newBuilder(URI.create(url + path))
          .header("Authorization", "Bearer " + secret);
    } catch (IllegalArgumentException e) {
      throw new IOException(url + " is no address of a node: " + e.getMessage(), e);
    }
  }

  private byte[] sent(String url, HttpRequest.Builder request, int bytesMax)
      throws IOException, InterruptedException {
    return body(url, response(url, request), bytesMax);
  }

  /** Over an encrypted line nobody answers in the name of another than the certificate's. */
  private static void requireNamed(String url, HttpResponse<?> response, NodeId who)
      throws IOException {
    Optional<SSLSession> session = response.sslSession();
    if (session.isPresent()
        && session.get().getPeerCertificates()[0] instanceof X509Certificate certificate
        && !NodeTls.isNamed(who.value(), NodeTls.commonName(certificate))) {
      throw new IOException(
          url
              + " answers as "
              + who
              + ", and its certificate is that of "
              + NodeTls.commonName(certificate));
    }
  }

  private byte[] body(String url, HttpResponse<InputStream> response, int bytesMax)
      throws IOException {
    try (InputStream in = response.body()) {
      byte[] body = whole(url, in, bytesMax);
      Optional<String> leader = response.headers().firstValue(LEADER);
      if (response.statusCode() == 503 && leader.isPresent()) {
        throw new NotLeadingException(leader.filter(name -> !name.isEmpty()));
      }
      int status = response.statusCode();
      if (status >= 400 && status < 500) {
        String why = detail(body).map(said -> ": " + said).orElseGet(() -> refusal(response));
        throw new RefusedException(url + " answers " + status + why);
      }
      if (status != 200) {
        throw new IOException(url + " answers " + status + refusal(response));
      }
      return body;
    }
  }

  /** What a problem says in words; empty where the body is none. */
  private static Optional<String> detail(byte[] body) {
    try {
      return JsonReader.strict().read(new String(body, StandardCharsets.UTF_8))
                  instanceof JsonObject problem
              && problem.get("detail") instanceof JsonString(String said)
          ? Optional.of(said.length() > DETAIL_MAX ? said.substring(0, DETAIL_MAX) : said)
          : Optional.empty();
    } catch (JsonProblem e) {
      return Optional.empty();
    }
  }

  private byte[] whole(String url, InputStream in, int bytesMax) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    byte[] chunk = new byte[16 << 10];
    try (Stall stall = new Stall(in, patience)) {
      int length = stall.read(url, chunk);
      while (length >= 0) {
        body.write(chunk, 0, length);
        if (body.size() > bytesMax) {
          throw new IOException(url + " sends more than " + bytesMax + " bytes");
        }
        length = stall.read(url, chunk);
      }
    }
    return body.toByteArray();
  }

  /**
   * Ends a stream on which nothing comes any more. The client's own timeout ends with the head of
   * an answer, and a connection whose other end is gone may never say so.
   */
  private static final class Stall implements AutoCloseable {
    private final InputStream in;
    private final long patienceNanos;
    private final Thread thread;
    private volatile long lastNanos = System.nanoTime();
    private volatile boolean stalled;

    Stall(InputStream in, Duration patience) {
      this.in = in;
      this.patienceNanos = patience.toNanos();
      this.thread = Thread.ofVirtual().name("entente-stall").start(this::watch);
    }

    private void watch() {
      try {
        long left = patienceNanos;
        while (left > 0) {
          Thread.sleep(Duration.ofNanos(left));
          left = lastNanos + patienceNanos - System.nanoTime();
        }
        stalled = true;
        in.close();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (IOException e) {
        LOG.log(Level.DEBUG, "what had stalled could not be closed", e);
      }
    }

    /** Reads as the stream does. */
    int read(String url, byte[] chunk) throws IOException {
      int length = -1;
      @Nullable IOException problem = null;
      try {
        length = in.read(chunk);
      } catch (IOException e) {
        problem = e;
      }
      if (stalled) {
        throw new IOException(url + " has stopped in the middle of its answer", problem);
      }
      if (problem != null) {
        throw problem;
      }
      lastNanos = System.nanoTime();
      return length;
    }

    @Override
    public void close() {
      thread.interrupt();
    }
  }

  private HttpResponse<InputStream> response(String url, HttpRequest.Builder request)
      throws IOException, InterruptedException {
    try {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    } catch (HttpTimeoutException e) {
      throw new IOException(url + " does not answer in time", e);
    } catch (ConnectException e) {
      throw new IOException(url + " cannot be reached", e);
    } catch (SSLException e) {
      String message = String.valueOf(e.getMessage());
      throw new IOException(
          message.contains("protocol_version")
              ? url + " speaks plain HTTP: serve that node with --tls-cert, --tls-key and --tls-ca"
              : url + " and this node do not trust each other: " + message,
          e);
    }
  }

  /** A port of HTTPS answers plain HTTP in text; a node's own refusals are JSON. */
  private static boolean speaksHttps(HttpResponse<?> response) {
    return response
        .headers()
        .firstValue("Content-Type")
        .filter(type -> type.startsWith("text/plain"))
        .isPresent();
  }

  private static String refusal(HttpResponse<?> response) {
    return switch (response.statusCode()) {
      case 400 -> speaksHttps(response) ? ": it speaks HTTPS, and this node has no --tls-cert" : "";
      case 401 -> ": the two nodes do not share the same secret";
      case 403 -> ": the certificate is not that of this node";
      case 404 -> ": it takes part in no cluster";
      case 503 -> ": it refuses for now";
      default -> "";
    };
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
