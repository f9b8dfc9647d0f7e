// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import dev.entente.cluster.NodeTls;
import dev.entente.cluster.group.VoterCertificate.Proof;
import dev.entente.core.codec.ByteWriter;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * What a voter proves to the others who it is with, and what it demands of them: knowledge of the
 * secret that the nodes share, and where this node has a certificate, one of the same authority
 * whose name (CN) is that of a voter. Thread-safe.
 *
 * <p>The idea: voters only ever speak TLS with each other, both ends showing a certificate over a
 * key that lives as long as the process. That certificate carries the name, a signature of the
 * node's own certificate over name and key, and an HMAC of the shared secret over all of it. The
 * handshake proves that the other end holds the key now, so nothing that was overheard can be
 * replayed, nothing can be relayed, and neither proof can be left out.
 *
 * <p>Rejected: a header with the secret (whoever is connected to by mistake learns it), a challenge
 * in the first message (the library has no hook on its client side, and each of its three services
 * would need one). See decision 20.
 */
public final class VoterCredentials {
  private static final Logger LOG = System.getLogger(VoterCredentials.class.getName());
  private static final String PURPOSE = "entente voter 1";

  /** What trying one guess at a secret costs whoever got hold of a certificate. */
  private static final int ROUNDS = 100_000;

  private static final int KEY_BITS = 256;
  private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final String ALIAS = "voter";

  /** Keys of secrets by their hash, so that each is worked out once in a process. */
  private static final Map<String, SecretKeySpec> KEYS = new ConcurrentHashMap<>();

  private static final int KEYS_MAX = 100;

  private final String name;
  private final SecretKeySpec secret;
  private final Optional<NodeTls> tls;
  private final KeyPair keys;
  private final AtomicLong refused = new AtomicLong();
  private long toldAtNanos = System.nanoTime() - QUIET_NANOS;

  /** Guarded by this: what is shown, and for which node certificate it was made. */
  private @Nullable X509Certificate shown;

  private List<X509Certificate> shownFor = List.of();

  private VoterCredentials(String name, SecretKeySpec secret, Optional<NodeTls> tls, KeyPair keys) {
    this.name = name;
    this.secret = secret;
    this.tls = tls;
    this.keys = keys;
  }

  /**
   * Credentials of a voter.
   *
   * @param name its name, which a certificate has to bear too
   * @param secret what all nodes of the cluster share
   * @param tls the node's certificate, where it has one
   * @throws IllegalArgumentException where these cannot be used; the message says why
   */
  public static VoterCredentials of(String name, String secret, Optional<NodeTls> tls) {
    if (secret.isBlank()) {
      throw new IllegalArgumentException(
          "voters need the secret that the nodes share: set ENTENTE_SECRET, or --secret-file");
    }
    if (tls.isPresent()) {
      String certified = NodeTls.commonName(tls.get().chain().getFirst());
      if (!certified.equals(name)) {
        throw new IllegalArgumentException(
            "the certificate of --tls-cert is that of "
                + (certified.isEmpty() ? "nobody" : certified)
                + ", and this voter is called "
                + name
                + ": its name (CN) has to be the node's");
      }
    }
    if (tls.isPresent() && tls.get().identity().key().getAlgorithm().equals("EdDSA")) {
      // The library's TLS does not know such keys, and would try to connect for ever.
      throw new IllegalArgumentException(
          "voters need certificates with EC or RSA keys; that of "
              + name
              + " has an Ed25519 key: make one with -newkey ec -pkeyopt ec_paramgen_curve:P-256");
    }
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return new VoterCredentials(name, key(secret), tls, generator.generateKeyPair());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has EC keys and PBKDF2", e);
    }
  }

  private static SecretKeySpec key(String secret) throws GeneralSecurityException {
    byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
    String hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    SecretKeySpec known = KEYS.get(hash);
    if (known != null) {
      return known;
    }
    PBEKeySpec spec =
        new PBEKeySpec(
            secret.toCharArray(), PURPOSE.getBytes(StandardCharsets.US_ASCII), ROUNDS, KEY_BITS);
    SecretKeySpec key =
        new SecretKeySpec(
            SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded(),
            "HmacSHA256");
    if (KEYS.size() < KEYS_MAX) {
      KEYS.put(hash, key);
    }
    return key;
  }

  /** Whether this voter has a certificate, and demands one of the others. */
  public boolean hasCertificate() {
    return tls.isPresent();
  }

  /** How often somebody was refused who is no voter. */
  public long refused() {
    return refused.get();
  }

  KeyManager keyManager() {
    return new Shown();
  }

  /**
   * Accepts voters.
   *
   * @param isVoter whether a node of this name may speak with this one
   */
  TrustManager trustManager(Predicate<String> isVoter) {
    return new Checked(isVoter);
  }

  /** The name of the other end of a connection whose certificate was accepted. */
  static String nameOf(X509Certificate accepted) throws CertificateException {
    return VoterCertificate.proof(accepted).name();
  }

  /** What is shown now: made anew where the node's certificate was replaced. */
  private synchronized X509Certificate current() {
    try {
      List<X509Certificate> chain = List.of();
      PrivateKey key = null;
      if (tls.isPresent()) {
        NodeTls.Identity identity = tls.get().identity();
        chain = identity.chain();
        key = identity.key();
      }
      X509Certificate made = shown;
      if (made == null || !chain.equals(shownFor)) {
        made = VoterCertificate.of(keys, proof(chain, key));
        shown = made;
        shownFor = chain;
      }
      return made;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the node's key cannot sign", e);
    }
  }

  private Proof proof(List<X509Certificate> chain, @Nullable PrivateKey key)
      throws GeneralSecurityException {
    List<byte[]> encoded = new ArrayList<>();
    for (X509Certificate each : chain) {
      encoded.add(each.getEncoded());
    }
    byte[] signature = new byte[0];
    if (key != null) {
      Signature signing = Signature.getInstance(algorithm(key.getAlgorithm()));
      signing.initSign(key);
      signing.update(claim(name, keys.getPublic()));
      signature = signing.sign();
    }
    Proof untagged = new Proof(name, encoded, signature, new byte[0]);
    return new Proof(name, encoded, signature, tag(untagged, keys.getPublic()));
  }

  private static String algorithm(String key) {
    return key.equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
  }

  private static byte[] claim(String name, PublicKey key) {
    byte[] encoded = key.getEncoded();
    return new ByteWriter().text(PURPOSE).text(name).varint(encoded.length).raw(encoded).toBytes();
  }

  private byte[] tag(Proof proof, PublicKey key) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(secret);
    mac.update(claim(proof.name(), key));
    mac.update(new Proof(proof.name(), proof.chain(), proof.signature(), new byte[0]).toBytes());
    return mac.doFinal();
  }

  /** Checks whatever the other end of a connection proves. */
  private void check(
      X509Certificate[] chain,
      @Nullable SSLEngine engine,
      boolean server,
      Predicate<String> isVoter)
      throws CertificateException {
    try {
      Proof proof = VoterCertificate.proof(chain[0]);
      PublicKey key = chain[0].getPublicKey();
      if (!MessageDigest.isEqual(tag(proof, key), proof.tag())) {
        throw new CertificateException("the two nodes do not share the same secret");
      }
      if (tls.isPresent()) {
        checkCertificate(tls.get(), proof, key, engine, server);
      } else if (!proof.chain().isEmpty()) {
        throw new CertificateException(
            proof.name() + " has a certificate and this node has none: give every node one");
      }
      if (!isVoter.test(proof.name())) {
        throw new CertificateException(proof.name() + " is no voter");
      }
    } catch (GeneralSecurityException | RuntimeException e) {
      refused(e);
      throw e instanceof CertificateException known
          ? known
          : new CertificateException("a voter's certificate cannot be checked", e);
    }
  }

  private static void checkCertificate(
      NodeTls tls, Proof proof, PublicKey key, @Nullable SSLEngine engine, boolean server)
      throws GeneralSecurityException {
    if (proof.chain().isEmpty()) {
      throw new CertificateException(proof.name() + " shows no certificate of the authority");
    }
    X509Certificate[] chain = NodeTls.decoded(proof.chain()).toArray(X509Certificate[]::new);
    X509ExtendedTrustManager trust = (X509ExtendedTrustManager) tls.trustManager();
    if (engine == null) {
      throw new CertificateException("there is no connection that this could belong to");
    } else if (server) {
      trust.checkServerTrusted(chain, "UNKNOWN", engine);
    } else {
      trust.checkClientTrusted(chain, "UNKNOWN", engine);
    }
    Signature signature = Signature.getInstance(algorithm(chain[0].getPublicKey().getAlgorithm()));
    signature.initVerify(chain[0].getPublicKey());
    signature.update(claim(proof.name(), key));
    if (!signature.verify(proof.signature())) {
      throw new CertificateException("the certificate shown is not that of who shows it");
    }
    String certified = NodeTls.commonName(chain[0]);
    if (!certified.equals(proof.name())) {
      throw new CertificateException(
          "the certificate is that of " + certified + ", not of " + proof.name());
    }
  }

  /** Counts, and tells once a minute. */
  private void refused(Exception why) {
    refused.incrementAndGet();
    synchronized (this) {
      if (System.nanoTime() - toldAtNanos < QUIET_NANOS) {
        return;
      }
      toldAtNanos = System.nanoTime();
    }
    LOG.log(Level.WARNING, "refused a connection between voters: {0}", why.getMessage());
  }

  @Override
  public String toString() {
    return "VoterCredentials[" + name + "]";
  }

  private static CertificateException withoutConnection() {
    return new CertificateException("voters are only ever checked on a connection");
  }

  /** Shows the one certificate that there is. */
  private final class Shown extends X509ExtendedKeyManager {
    @Override
    public String[] getClientAliases(String type, Principal @Nullable [] issuers) {
      return new String[] {ALIAS};
    }

    @Override
    public String chooseClientAlias(
        String[] types, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return ALIAS;
    }

    @Override
    public String chooseEngineClientAlias(
        String[] types, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
      return ALIAS;
    }

    @Override
    public String[] getServerAliases(String type, Principal @Nullable [] issuers) {
      return new String[] {ALIAS};
    }

    @Override
    public @Nullable String chooseServerAlias(
        String type, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return type.startsWith("EC") ? ALIAS : null;
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
        String type, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
      return type.startsWith("EC") ? ALIAS : null;
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
      return new X509Certificate[] {current()};
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
      return keys.getPrivate();
    }
  }

  /** Checks each connection; there is no other way to be accepted. */
  private final class Checked extends X509ExtendedTrustManager {
    private final Predicate<String> isVoter;

    Checked(Predicate<String> isVoter) {
      this.isVoter = isVoter;
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      check(chain, engine, false, isVoter);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      check(chain, engine, true, isVoter);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      throw withoutConnection();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      throw withoutConnection();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      throw withoutConnection();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      throw withoutConnection();
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
