import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('publishing', '0004_known_translations'),
    ]

    operations = [
        migrations.AddField(
            model_name='publication',
            name='originally_published',
            field=models.DateTimeField(blank=True, null=True, verbose_name='published before'),
        ),
        migrations.CreateModel(
            name='FormerPath',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.CharField(max_length=500, unique=True, verbose_name='old address')),
                ('publication', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='former_paths', to='publishing.publication')),
            ],
            options={
                'ordering': ['path'],
            },
        ),
    ]
