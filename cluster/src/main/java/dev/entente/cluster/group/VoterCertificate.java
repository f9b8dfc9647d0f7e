// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;

/**
 * The X.509 form of a voter's proof: a self-signed certificate over a key that lives as long as the
 * process, with one extension that says whose key it is and proves it. X.509 because that is what a
 * TLS handshake carries; nothing but the key and the extension is looked at.
 */
final class VoterCertificate {
  /** Below 2.25, the arc of UUIDs, which nobody has to register. */
  private static final String EXTENSION = "2.25.182901591351910964061208493514395964115";

  private static final String ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
  private static final String COMMON_NAME = "2.5.4.3";
  private static final int FORMAT = 1;
  private static final int CHAIN_MAX = 10;

  private static final int INTEGER = 0x02;
  private static final int BIT_STRING = 0x03;
  private static final int OCTET_STRING = 0x04;
  private static final int OID = 0x06;
  private static final int UTF8_STRING = 0x0C;
  private static final int UTC_TIME = 0x17;
  private static final int GENERALIZED_TIME = 0x18;
  private static final int SEQUENCE = 0x30;
  private static final int SET = 0x31;
  private static final int VERSION = 0xA0;
  private static final int EXTENSIONS = 0xA3;

  private VoterCertificate() {}

  /**
   * What a voter proves.
   *
   * @param name the voter's name
   * @param chain its node certificate and those between it and the authority's; may be empty
   * @param signature the node certificate's key over name and process key; empty without one
   * @param tag the shared secret over all of this and the process key
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Proof(String name, List<byte[]> chain, byte[] signature, byte[] tag) {
    byte[] toBytes() {
      ByteWriter out = new ByteWriter().u8(FORMAT).text(name).varint(chain.size());
      chain.forEach(each -> out.varint(each.length).raw(each));
      out.varint(signature.length).raw(signature);
      return out.varint(tag.length).raw(tag).toBytes();
    }

    static Proof fromBytes(byte[] bytes) {
      ByteReader in = new ByteReader(bytes);
      int format = in.u8();
      if (format != FORMAT) {
        throw new DamagedException("a voter's proof of the unknown format " + format);
      }
      String name = in.text();
      int count = in.count();
      if (count > CHAIN_MAX) {
        throw new DamagedException("a chain of " + count + " certificates");
      }
      List<byte[]> chain = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        chain.add(in.raw(in.count()));
      }
      Proof proof = new Proof(name, chain, in.raw(in.count()), in.raw(in.count()));
      in.expectEnd();
      return proof;
    }
  }

  /** Wraps a proof and the key that it is for. */
  static X509Certificate of(KeyPair keys, Proof proof) throws GeneralSecurityException {
    byte[] algorithm = der(SEQUENCE, oid(ECDSA_WITH_SHA256));
    byte[] name =
        der(
            SEQUENCE,
            der(SET, der(SEQUENCE, oid(COMMON_NAME), der(UTF8_STRING, ascii("Entente voter")))));
    byte[] signed =
        der(
            SEQUENCE,
            der(VERSION, der(INTEGER, new byte[] {2})),
            der(INTEGER, new byte[] {1}),
            algorithm,
            name,
            // Handshakes prove that the key is in use now; RFC 5280 has this date for no end.
            der(
                SEQUENCE,
                der(UTC_TIME, ascii("200101000000Z")),
                der(GENERALIZED_TIME, ascii("99991231235959Z"))),
            name,
            keys.getPublic().getEncoded(),
            der(
                EXTENSIONS,
                der(SEQUENCE, der(SEQUENCE, oid(EXTENSION), der(OCTET_STRING, proof.toBytes())))));
    Signature signature = Signature.getInstance("SHA256withECDSA");
    signature.initSign(keys.getPrivate());
    signature.update(signed);
    byte[] certificate =
        der(SEQUENCE, signed, algorithm, der(BIT_STRING, new byte[] {0}, signature.sign()));
    return (X509Certificate)
        CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(certificate));
  }

  /**
   * The proof in a certificate, not yet checked.
   *
   * @throws CertificateException where it holds none
   */
  static Proof proof(X509Certificate certificate) throws CertificateException {
    byte[] wrapped = certificate.getExtensionValue(EXTENSION);
    if (wrapped == null) {
      throw new CertificateException("this is no voter's certificate");
    }
    try {
      return Proof.fromBytes(unwrapped(wrapped));
    } catch (DamagedException e) {
      throw new CertificateException("a voter's proof cannot be read: " + e.getMessage(), e);
    }
  }

  /** The content of an octet string. */
  private static byte[] unwrapped(byte[] octets) {
    ByteReader in = new ByteReader(octets);
    if (in.u8() != OCTET_STRING) {
      throw new DamagedException("no octet string");
    }
    int length = in.u8();
    if (length >= 0x80) {
      int bytes = length & 0x7F;
      length = 0;
      for (int i = 0; i < bytes; i++) {
        length = (length << 8) | in.u8();
      }
    }
    byte[] content = in.raw(length);
    in.expectEnd();
    return content;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] der(int tag, byte[]... parts) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      content.writeBytes(part);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(tag);
    int length = content.size();
    if (length < 0x80) {
      out.write(length);
    } else {
      int bytes = (Integer.SIZE - Integer.numberOfLeadingZeros(length) + 7) / 8;
      out.write(0x80 | bytes);
      for (int i = bytes - 1; i >= 0; i--) {
        out.write(length >>> (8 * i));
      }
    }
    out.writeBytes(content.toByteArray());
    return out.toByteArray();
  }

  private static byte[] oid(String dotted) {
    String[] arcs = dotted.split("\\.");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    BigInteger first =
        BigInteger.valueOf(40L * Integer.parseInt(arcs[0])).add(new BigInteger(arcs[1]));
    writeBase128(out, first);
    for (int i = 2; i < arcs.length; i++) {
      writeBase128(out, new BigInteger(arcs[i]));
    }
    return der(OID, out.toByteArray());
  }

  private static void writeBase128(ByteArrayOutputStream out, BigInteger number) {
    for (int shift = Math.max(0, (number.bitLength() - 1) / 7) * 7; shift >= 0; shift -= 7) {
      int digit = number.shiftRight(shift).intValue() & 0x7F;
      out.write(shift == 0 ? digit : digit | 0x80);
    }
  }
}
