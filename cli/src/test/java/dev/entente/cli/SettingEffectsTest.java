// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.NodeTls;
import dev.entente.cluster.group.FreePort;
import dev.entente.core.causality.NodeId;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.MemoryStore;
import dev.entente.server.Certificates;
import dev.entente.server.EntenteServer;
import dev.entente.server.ServerConfig;
import dev.entente.server.access.RateLimits;
import dev.entente.server.watch.MailSender;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * What each security setting of {@code serve} does, seen from outside on servers that were started
 * with it: one in a cluster with certificates, one alone with plain HTTP. What only another machine
 * would see is looked up in what the server was given. A new security setting needs a row.
 */
class SettingEffectsTest {
  private static final String SECRET = "a secret of the cluster";
  private static final String OTHER_SECRET = "a secret of another one";
  private static final String TOKEN = "a-token-of-the-administrator";
  private static final String ADMINISTRATOR = "1qYXCWuBRNTkIDOnZtSgJj0WKYHBnVuMLqtGQ5lqxZw";

  @TempDir static Path folder;
  private static Certificates certificates;
  private static ECKey provider;
  private static String voteKey;
  private static int port;
  private static Started encrypted;
  private static Started plain;

  /** A server, what it was given, and how a client trusts it. */
  private record Started(
      Node node, EntenteServer server, ServerConfig config, Optional<SSLContext> trusting)
      implements AutoCloseable {
    HttpResponse<String> send(String method, String path, String token, String body)
        throws IOException, InterruptedException {
      HttpClient.Builder builder = HttpClient.newBuilder();
      trusting.ifPresent(builder::sslContext);
      String scheme = server.isEncrypted() ? "https" : "http";
      try (HttpClient client = builder.build()) {
        return client.send(
            HttpRequest.newBuilder(URI.create(scheme + "://127.0.0.1:" + server.port() + path))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/json")
                .method(method, BodyPublishers.ofString(body))
                .build(),
            BodyHandlers.ofString());
      }
    }

    String cluster() throws IOException, InterruptedException {
      return send("GET", "/v1/cluster", TOKEN, "").body();
    }

    int asNode(String secret) throws Exception {
      Optional<NodeTls> tls = trusting.isPresent() ? Optional.of(tls("us")) : Optional.empty();
      String url = server.url().replace("0.0.0.0", "127.0.0.1");
      try (HttpTransport other = new HttpTransport(secret, tls)) {
        other.get(url, new NodeId("us.1"), "known");
        return 200;
      } catch (IOException e) {
        return String.valueOf(e.getMessage()).contains("401") ? 401 : 0;
      }
    }

    @Override
    public void close() {
      server.close();
      node.close();
    }
  }

  private interface Effect {
    void isSeen() throws Exception;
  }

  /** Each security setting, and how it is seen that it is in force. */
  private static final Map<String, Effect> EFFECTS = new TreeMap<>();

  private static void seen(List<String> settings, Effect effect) {
    settings.forEach(setting -> EFFECTS.put(setting, effect));
  }

  static {
    seen(List.of("tls-cert", "tls-key"), SettingEffectsTest::theCertificateIsShown);
    seen(List.of("tls-ca"), () -> assertThat(encrypted.asNode(SECRET)).isEqualTo(200));
    seen(
        List.of("insecure-http", "host", "port", "config"),
        () ->
            // The file that --config names gives the port.
            assertThat(plain.server().url()).isEqualTo("http://0.0.0.0:" + port));
    seen(List.of("host-names"), SettingEffectsTest::aNameIsServed);
    seen(List.of("secret-file"), () -> secretIsDemanded(encrypted));
    seen(List.of("ENTENTE_SECRET"), () -> secretIsDemanded(plain));
    seen(List.of("ENTENTE_TOKEN"), SettingEffectsTest::theTokenIsTheAdministrators);
    seen(
        List.of("peers", "advertise"),
        () ->
            assertThat(encrypted.cluster())
                .contains("\"https://127.0.0.1:1\"", "\"https://127.0.0.1:2\""));
    seen(List.of("voters"), () -> assertThat(encrypted.cluster()).contains("\"voters\":[\"eu\"]"));
    seen(
        List.of("administrator-keys"),
        () ->
            assertThat(encrypted.config().peering().orElseThrow().administrators())
                .extracting(dev.entente.engine.AccessKeys::text)
                .containsExactly(ADMINISTRATOR));
    seen(
        List.of("vote-key"),
        () -> assertThat(encrypted.config().peering().orElseThrow().voteKey()).contains(voteKey));
    seen(
        List.of("oidc-issuer", "oidc-audience", "oidc-keys", "oidc-name-claim"),
        SettingEffectsTest::tokensOfTheProviderAreTrusted);
    seen(List.of("rate-limit"), SettingEffectsTest::requestsAreLimited);
    seen(
        List.of("record-rate-limit", "tenant-rate-limit"),
        () -> assertThat(plain.config().limits()).isEqualTo(new RateLimits.Limits(1, 2, 3)));
    seen(
        List.of("webhooks-inside"),
        () -> assertThat(encrypted.config().watching().webhooksInside()).isTrue());
    seen(
        List.of("smtp-host", "smtp-port", "smtp-from", "smtp-user", "ENTENTE_SMTP_PASSWORD"),
        () ->
            assertThat(encrypted.config().watching().mail())
                .contains(
                    new MailSender.Config("mail.example", 25, "a@b.example", "u", "p", true)));
    seen(
        List.of("smtp-plain", "insecure-smtp"),
        () ->
            assertThat(plain.config().watching().mail())
                .contains(
                    new MailSender.Config("mail.example", 587, "a@b.example", "", "", false)));
  }

  private static NodeTls tls(String name) {
    return NodeTls.of(
        certificates.certificate(name), certificates.key(name), certificates.authority());
  }

  private static Path secretFile(String name, String text) throws IOException {
    return Files.writeString(Folders.createFile(folder.resolve(name)), text);
  }

  /** Starts as the command does, but on a store in memory. */
  private static Started start(
      String data, Map<String, String> environment, boolean tls, String... options)
      throws IOException {
    List<String> arguments = new ArrayList<>(List.of(options));
    arguments.add("--data=" + folder.resolve(data));
    ServeCommand command = new ServeCommand();
    Settings settings = new Settings(arguments, environment);
    CommandLine line = new CommandLine(command).setDefaultValueProvider(settings);
    line.parseArgs(arguments.toArray(String[]::new));
    settings.check(line.getCommandSpec());
    ServerConfig config =
        command.config(settings).withToken(settings.secret("ENTENTE_TOKEN").orElse(TOKEN));
    Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("eu"));
    return new Started(
        node,
        EntenteServer.start(node, config),
        config,
        tls ? Optional.of(NodeTls.trusting(certificates.authority())) : Optional.empty());
  }

  @BeforeAll
  static void start() throws Exception {
    certificates = new Certificates(folder.resolve("ca"));
    certificates.sign("eu");
    certificates.sign("us");
    provider = new ECKeyGenerator(Curve.P_256).keyID("ec").generate();
    Path keys = folder.resolve("keys.json");
    Files.writeString(keys, new JWKSet(List.of(provider)).toString(true));
    voteKey =
        Base64.getEncoder()
            .encodeToString(
                KeyPairGenerator.getInstance("Ed25519")
                    .generateKeyPair()
                    .getPrivate()
                    .getEncoded());
    encrypted =
        start(
            "encrypted",
            Map.of("ENTENTE_TOKEN", TOKEN, "ENTENTE_SMTP_PASSWORD", "p"),
            true,
            "--port=0",
            "--tls-cert=" + certificates.certificate("eu"),
            "--tls-key=" + certificates.key("eu"),
            "--tls-ca=" + certificates.authority(),
            "--secret-file=" + secretFile("secret", SECRET),
            "--peers=https://127.0.0.1:1",
            "--advertise=https://127.0.0.1:2",
            "--voters=eu=127.0.0.1:" + FreePort.find(),
            "--administrator-keys=" + ADMINISTRATOR,
            "--vote-key=" + secretFile("vote.key", voteKey),
            "--oidc-issuer=https://issuer.example",
            "--oidc-audience=other",
            "--oidc-keys=" + keys,
            "--oidc-name-claim=email",
            "--webhooks-inside",
            "--smtp-host=mail.example",
            "--smtp-port=25",
            "--smtp-from=a@b.example",
            "--smtp-user=u");
    port = FreePort.find();
    plain =
        start(
            "plain",
            Map.of("ENTENTE_TOKEN", TOKEN, "ENTENTE_SECRET", SECRET),
            false,
            "--host=0.0.0.0",
            "--insecure-http",
            "--config=" + Files.writeString(folder.resolve("config"), "port=" + port),
            "--host-names=entente.example",
            "--rate-limit=1",
            "--record-rate-limit=2",
            "--tenant-rate-limit=3",
            "--smtp-host=mail.example",
            "--smtp-from=a@b.example",
            "--smtp-plain",
            "--insecure-smtp");
  }

  @AfterAll
  static void stop() {
    encrypted.close();
    plain.close();
  }

  @Test
  void everySecuritySettingHasItsEffect() throws Exception {
    TreeSet<String> security = new TreeSet<>(Settings.SECRETS);
    ServeRun.names().stream()
        .filter(Predicate.not(SettingPairsTest.OTHERS.asMatchPredicate()))
        .forEach(security::add);
    security.remove("data");
    security.add("port");
    assertThat(EFFECTS.keySet()).as("settings with a row").isEqualTo(security);
    for (Effect effect : EFFECTS.values()) {
      effect.isSeen();
    }
  }

  private static void theCertificateIsShown() throws Exception {
    assertThat(encrypted.server().url()).startsWith("https://127.0.0.1:");
    HttpResponse<String> answer = encrypted.send("GET", "/v1/cluster", TOKEN, "");
    X509Certificate shown =
        (X509Certificate) answer.sslSession().orElseThrow().getPeerCertificates()[0];
    assertThat(shown).isEqualTo(tls("eu").chain().getFirst());
    Started distrusting =
        new Started(encrypted.node(), encrypted.server(), encrypted.config(), Optional.empty());
    assertThatThrownBy(() -> distrusting.send("GET", "/v1/cluster", TOKEN, ""))
        .isInstanceOf(SSLHandshakeException.class);
  }

  private static void secretIsDemanded(Started of) throws Exception {
    assertThat(of.asNode(SECRET)).isEqualTo(200);
    assertThat(of.asNode(OTHER_SECRET)).isEqualTo(401);
  }

  private static void theTokenIsTheAdministrators() throws Exception {
    assertThat(encrypted.send("GET", "/v1/cluster/accounts", TOKEN, "").statusCode())
        .isEqualTo(200);
    assertThat(encrypted.send("GET", "/v1/cluster/accounts", TOKEN + "x", "").statusCode())
        .isEqualTo(401);
  }

  private static void aNameIsServed() throws Exception {
    assertThat(underName("entente.example")).contains(" 200 ");
    assertThat(underName("other.example")).contains(" 421 ");
  }

  private static String underName(String name) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(10_000);
      String request = "GET /health/live HTTP/1.1\r\nHost: " + name + "\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readNBytes(16), StandardCharsets.US_ASCII);
    }
  }

  private static void tokensOfTheProviderAreTrusted() throws Exception {
    String account = "{\"grants\":[\"reader@main\"]}";
    assertThat(encrypted.send("PUT", "/v1/cluster/accounts/ann", TOKEN, account).statusCode())
        .isEqualTo(200);
    assertThat(encrypted.send("GET", "/v1/main/policies", signed("other"), "").statusCode())
        .isEqualTo(200);
    assertThat(encrypted.send("GET", "/v1/main/policies", signed("entente"), "").statusCode())
        .isEqualTo(401);
  }

  /** A token whose claim "email" names the account that may read. */
  @SuppressWarnings("JavaUtilDate") // The library's own type.
  private static String signed(String audience) throws Exception {
    SignedJWT token =
        new SignedJWT(
            new JWSHeader.Builder(JWSAlgorithm.ES256).keyID("ec").build(),
            new JWTClaimsSet.Builder()
                .issuer("https://issuer.example")
                .audience(audience)
                .subject("nobody")
                .claim("email", "ann")
                .expirationTime(Date.from(Instant.now().plusSeconds(600)))
                .build());
    token.sign(new ECDSASigner(provider));
    return token.serialize();
  }

  private static void requestsAreLimited() throws Exception {
    String grants = "{\"grants\":[\"reader@main\"]}";
    assertThat(plain.send("PUT", "/v1/cluster/accounts/bob", TOKEN, grants).statusCode())
        .isEqualTo(200);
    String issued =
        plain
            .send("POST", "/v1/cluster/accounts/bob/tokens", TOKEN, "{\"note\":\"a test\"}")
            .body();
    String token = issued.replaceFirst("(?s).*\"token\":\"([^\"]+)\".*", "$1");
    int refused = 0;
    for (int i = 0; i < 30 && refused != 429; i++) {
      refused = plain.send("GET", "/v1/main/policies", token, "").statusCode();
    }
    assertThat(refused).isEqualTo(429);
  }
}
