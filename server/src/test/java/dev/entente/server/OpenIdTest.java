// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpServer;
import dev.entente.server.access.OpenId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens that a provider has signed are believed, and no others. */
class OpenIdTest {
  private static final String ISSUER = "https://id.example.org";
  private static final String AUDIENCE = "entente";

  @TempDir Path folder;
  private RSAKey rsa;
  private ECKey ec;
  private Served served;

  @BeforeEach
  void start() throws Exception {
    rsa = new RSAKeyGenerator(2048).keyID("rsa").generate();
    ec = new ECKeyGenerator(Curve.P_256).keyID("ec").generate();
    Path keys = folder.resolve("keys.json");
    Files.writeString(keys, new JWKSet(List.of(rsa, ec)).toString(true));
    served = serving(keys.toString(), ISSUER);
  }

  private static Served serving(String keys, String issuer) {
    return new Served(
        config -> config.believing(Optional.of(new OpenId.Config(issuer, AUDIENCE, keys, "sub"))));
  }

  @AfterEach
  void close() {
    served.close();
  }

  private static JWTClaimsSet.Builder claims() {
    return new JWTClaimsSet.Builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .subject("ann")
        .expirationTime(in(600))
        .claim("entente", List.of("reader@main"));
  }

  @SuppressWarnings("JavaUtilDate") // The library's own type.
  private static Date in(int seconds) {
    return Date.from(Instant.now().plusSeconds(seconds));
  }

  private static String signed(JWSHeader header, JWSSigner signer, JWTClaimsSet claims)
      throws JOSEException {
    SignedJWT token = new SignedJWT(header, claims);
    token.sign(signer);
    return token.serialize();
  }

  private String signed(JWTClaimsSet claims) throws JOSEException {
    return signed(
        new JWSHeader.Builder(JWSAlgorithm.RS256).keyID("rsa").build(),
        new RSASSASigner(rsa),
        claims);
  }

  private int status(String token) {
    return answer(served, token).status();
  }

  private static Served.Answer answer(Served served, String token) {
    return served.send(
        "GET", "/v1/main/policies", new byte[0], Map.of("Authorization", "Bearer " + token));
  }

  @Test
  void whatTheProviderGrantsHolds() throws Exception {
    assertThat(status(signed(claims().build()))).isEqualTo(200);
    assertThat(status(signed(claims().claim("entente", "reader@main writer@x").build())))
        .isEqualTo(200);
    assertThat(status(signed(claims().claim("entente", List.of("reader@other")).build())))
        .isEqualTo(403);
    assertThat(status(signed(claims().claim("entente", null).build()))).isEqualTo(403);
    assertThat(status(signed(claims().claim("entente", List.of("king@main")).build())))
        .as("what is no grant is believed in nothing")
        .isEqualTo(401);
    String elliptic =
        signed(
            new JWSHeader.Builder(JWSAlgorithm.ES256).keyID("ec").build(),
            new ECDSASigner(ec),
            claims().build());
    assertThat(status(elliptic)).isEqualTo(200);
  }

  @Test
  void anAccountOfTheNameAddsItsGrantsOrKeepsOut() throws Exception {
    String token = signed(claims().claim("entente", null).build());
    served.json("PUT", "/v1/cluster/accounts/ann", "{\"grants\":[\"reader@main\"]}");
    assertThat(status(token)).isEqualTo(200);
    served.json(
        "PUT", "/v1/cluster/accounts/ann", "{\"grants\":[\"reader@main\"],\"disabled\":true}");
    assertThat(status(token)).isEqualTo(401);
    assertThat(status(signed(claims().build()))).isEqualTo(401);
  }

  @Test
  void noOtherTokenIsBelieved() throws Exception {
    assertThat(status(new PlainJWT(claims().build()).serialize())).as("alg none").isEqualTo(401);
    byte[] publicKey = rsa.toRSAPublicKey().getEncoded();
    String confused =
        signed(
            new JWSHeader.Builder(JWSAlgorithm.HS256).keyID("rsa").build(),
            new MACSigner(publicKey),
            claims().build());
    assertThat(status(confused)).as("HS256 under the public key").isEqualTo(401);
    RSAKey stranger = new RSAKeyGenerator(2048).keyID("rsa").generate();
    assertThat(
            status(
                signed(
                    new JWSHeader.Builder(JWSAlgorithm.RS256).keyID("rsa").build(),
                    new RSASSASigner(stranger),
                    claims().build())))
        .as("another's key under the same name")
        .isEqualTo(401);
    assertThat(status(signed(claims().expirationTime(in(-120)).build()))).isEqualTo(401);
    assertThat(status(signed(claims().expirationTime(null).build()))).isEqualTo(401);
    assertThat(status(signed(claims().notBeforeTime(in(600)).build()))).isEqualTo(401);
    assertThat(status(signed(claims().audience("another").build()))).isEqualTo(401);
    assertThat(status(signed(claims().issuer("https://evil.example").build()))).isEqualTo(401);
    assertThat(status(signed(claims().subject("a\u0000b").build()))).isEqualTo(401);
    String good = signed(claims().build());
    assertThat(status(good.substring(0, good.length() - 4) + "AAAA")).isEqualTo(401);
    assertThat(status("a.b.c")).isEqualTo(401);
    assertThat(status("x".repeat(10_000))).isEqualTo(401);
  }

  @Test
  void nothingIsFetchedForACaller() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    HttpServer evil = answering(asked, "{}");
    try {
      String address = "http://127.0.0.1:" + evil.getAddress().getPort() + "/keys";
      RSAKey stranger = new RSAKeyGenerator(2048).keyID("evil").generate();
      for (String kid : List.of("../../etc/passwd", address, "evil")) {
        JWSHeader header =
            new JWSHeader.Builder(JWSAlgorithm.RS256)
                .keyID(kid)
                .jwkURL(URI.create(address))
                .x509CertURL(URI.create(address))
                .jwk(stranger.toPublicJWK())
                .build();
        assertThat(status(signed(header, new RSASSASigner(stranger), claims().build())))
            .as(kid)
            .isEqualTo(401);
      }
      assertThat(asked).hasValue(0);
    } finally {
      evil.stop(0);
    }
  }

  @Test
  void theKeysOfAProviderAreFoundThroughItsDiscoveryDocument() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    HttpServer provider = answering(asked, "");
    String address = "http://127.0.0.1:" + provider.getAddress().getPort();
    answer(
        provider,
        asked,
        "/.well-known/openid-configuration",
        "{\"issuer\":\"" + address + "\",\"jwks_uri\":\"" + address + "/keys\"}");
    answer(provider, asked, "/keys", new JWKSet(rsa.toPublicJWK()).toString());
    try (Served found = serving("", address)) {
      String token = signed(claims().issuer(address).build());
      assertThat(answer(found, token).status()).isEqualTo(200);
      int before = asked.get();
      for (int i = 0; i < 20; i++) {
        assertThat(answer(found, token).status()).isEqualTo(200);
      }
      assertThat(asked).as("its keys are remembered").hasValue(before);
    } finally {
      provider.stop(0);
    }
  }

  private static HttpServer answering(AtomicInteger asked, String body) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    answer(server, asked, "/", body);
    server.start();
    return server;
  }

  private static void answer(HttpServer server, AtomicInteger asked, String path, String body) {
    server.createContext(
        path,
        exchange -> {
          asked.incrementAndGet();
          byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });
  }

  @Test
  void aBrowserSignsInWithSuchATokenForAsLongAsItHolds() throws Exception {
    String token = signed(claims().build());
    Served.Answer in = served.json("POST", "/session", "{\"token\":\"" + token + "\"}");
    String cookie =
        in.response().headers().firstValue("set-cookie").orElseThrow().replaceAll(";.*", "");
    Map<String, String> headers = Map.of("Authorization", "", "Cookie", cookie);
    assertThat(served.send("GET", "/v1/whoami", new byte[0], headers).body()).contains("ann");
    served.json("PUT", "/v1/cluster/accounts/ann", "{\"grants\":[],\"disabled\":true}");
    assertThat(served.send("GET", "/v1/whoami", new byte[0], headers).status()).isEqualTo(401);
  }
}
