// The JDK as an oracle for the envelope's signature profile (javax.xml.crypto, JSR 105).
//
//   java EnvelopeSignature.java verify FILE...
//       prints "valid FILE" or "invalid FILE reason" for each, under the JDK's secure validation
//   java EnvelopeSignature.java sign METHOD KEYSTORE.p12 DRAFT OUT
//       signs with the first key of a PKCS#12 file; its password comes from HUB_TEST_PASSWORD
//
// The draft holds its SignerCertificate already. Test aid: its keys protect nothing.

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.security.Key;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.xml.crypto.AlgorithmMethod;
import javax.xml.crypto.KeySelector;
import javax.xml.crypto.KeySelectorResult;
import javax.xml.crypto.XMLCryptoContext;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.keyinfo.X509Data;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

public final class EnvelopeSignature {
    private static final XMLSignatureFactory FACTORY = XMLSignatureFactory.getInstance("DOM");

    public static void main(String[] args) throws Exception {
        if (args[0].equals("sign")) {
            sign(args[1], args[2], args[3], args[4]);
            return;
        }
        for (int each = 1; each < args.length; each++) {
            System.out.println(judged(args[each]));
        }
    }

    private static Document read(String file) throws Exception {
        DocumentBuilderFactory builders = DocumentBuilderFactory.newInstance();
        builders.setNamespaceAware(true);
        builders.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        try (FileInputStream in = new FileInputStream(file)) {
            return builders.newDocumentBuilder().parse(in);
        }
    }

    private static String judged(String file) {
        try {
            NodeList found = read(file).getElementsByTagNameNS(XMLSignature.XMLNS, "Signature");
            DOMValidateContext context = new DOMValidateContext(new Shown(), found.item(0));
            context.setProperty("org.jcp.xml.dsig.secureValidation", Boolean.TRUE);
            boolean valid = FACTORY.unmarshalXMLSignature(context).validate(context);
            return (valid ? "valid " : "invalid ") + file;
        } catch (Exception error) {
            return "invalid " + file + " " + error.getMessage();
        }
    }

    /** The key of the certificate that KeyInfo shows first; trust is not this program's business. */
    private static final class Shown extends KeySelector {
        @Override
        public KeySelectorResult select(
                KeyInfo info, Purpose purpose, AlgorithmMethod method, XMLCryptoContext context) {
            X509Data data = (X509Data) info.getContent().get(0);
            Key key = ((X509Certificate) data.getContent().get(0)).getPublicKey();
            return () -> key;
        }
    }

    private static void sign(String method, String keystore, String draft, String out)
            throws Exception {
        char[] password = System.getenv("HUB_TEST_PASSWORD").toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream in = new FileInputStream(keystore)) {
            store.load(in, password);
        }
        String alias = store.aliases().nextElement();
        Document document = read(draft);
        DOMSignContext context =
                new DOMSignContext(
                        (PrivateKey) store.getKey(alias, password), document.getDocumentElement());
        context.setDefaultNamespacePrefix("ds");
        KeyInfoFactory keys = FACTORY.getKeyInfoFactory();
        X509Data shown = keys.newX509Data(List.of(store.getCertificate(alias)));
        FACTORY.newXMLSignature(signedInfo(method), keys.newKeyInfo(List.of(shown))).sign(context);
        try (FileOutputStream to = new FileOutputStream(out)) {
            TransformerFactory.newInstance()
                    .newTransformer()
                    .transform(new DOMSource(document), new StreamResult(to));
        }
    }

    private static SignedInfo signedInfo(String method) throws Exception {
        C14NMethodParameterSpec none = null;
        TransformParameterSpec plain = null;
        Reference whole =
                FACTORY.newReference(
                        "",
                        FACTORY.newDigestMethod(DigestMethod.SHA256, null),
                        List.of(
                                FACTORY.newTransform(Transform.ENVELOPED, plain),
                                FACTORY.newTransform(CanonicalizationMethod.EXCLUSIVE, plain)),
                        null,
                        null);
        return FACTORY.newSignedInfo(
                FACTORY.newCanonicalizationMethod(CanonicalizationMethod.EXCLUSIVE, none),
                FACTORY.newSignatureMethod(method, null),
                List.of(whole));
    }
}
